// DeadLetterView is a dead letter as read from its topic; DeadLetterFilter chooses among them. Both
// are what everybody means who shows, counts or replays dead letters.
//
// Threads   plain values; any.
// Lifetime  a view points into the record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "record/record_batch.h"
#include "record/types.h"

namespace penstock {

struct DeadLetterView {
  Offset offset;
  Timestamp time;
  std::string_view code;
  std::string_view message;
  std::string_view source;
  std::string_view topic;
  std::string_view sink;  // whose destination refused it; empty: the gateway did
  std::uint32_t replays = 0;
  ByteView event;  // as the client sent it
};

[[nodiscard]] DeadLetterView read_dead_letter(const RecordView& record);

// How often the event of this record was replayed: what stands in its header, or 0.
[[nodiscard]] std::uint32_t replays_of(const RecordView& record);

// A letter that was replayed this often is in quarantine: it is replayed only on purpose, so that
// an event which always fails cannot run in circles.
struct DeadLetterFilter {
  enum class Quarantine { kAny, kOutside, kInside };

  std::string code;                // empty: all
  std::string sink;                // empty: all
  std::optional<Timestamp> since;  // of the letters' own times; inclusive
  std::optional<Timestamp> until;  // exclusive
  Quarantine quarantine = Quarantine::kAny;
  std::uint32_t replays_max = 3;

  [[nodiscard]] bool matches(const DeadLetterView& letter) const;
};

}  // namespace penstock
