// VersionedBytes is a byte store that remembers what its keys held before (KIP-889).
//
// Each value has the timestamp from which on it is valid; the next one of its key ends it. Values
// may come out of order: one that is older than the latest takes its place in the history. History
// reaches as far back as the store's retention, counted from the largest timestamp it was ever
// given: older values are not taken, and what was valid before that is not known any more. The
// latest value of a key never expires.
//
// Threads   one: that of the task which owns the store.
// Lifetime  a StoredValue is valid until the store changes; visitors must not change the store.
#pragma once

#include <cstdint>
#include <optional>

#include "store/byte_stores.h"

namespace penstock::store {

class VersionedBytes {
 public:
  enum class Put : std::uint8_t {
    kLatest,    // it is what the key holds now
    kOutdated,  // it is history: a later one is known
    kExpired,   // it is older than the history; nothing was changed
  };

  virtual ~VersionedBytes() = default;

  // The latest.
  [[nodiscard]] virtual std::optional<StoredValue> get(ByteView key) const = 0;
  // What the key held at that time.
  [[nodiscard]] virtual std::optional<StoredValue> get(ByteView key, Timestamp as_of) const = 0;
  // Absent: from then on the key holds nothing.
  virtual Put put(ByteView key, std::optional<ByteView> value, Timestamp timestamp) = 0;

  [[nodiscard]] virtual StepTimes& times() = 0;
};

}  // namespace penstock::store
