// BufferKey and BufferEntry: what waits in the buffer of a suppress step, as it is stored.
//
//   key    int64 time | key bytes
//   value  int64 record timestamp | topic | prior value | old value | new value | int32 count of
//          headers | (name, value)...   each int32 size (-1: null) and bytes, big-endian
//
// Threads   values; no sharing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "dsl/record.h"
#include "dsl/serde.h"

namespace penstock::dsl {

struct BufferKey {
  std::int64_t time = 0;
  std::string key;
};

struct BufferEntry {
  Timestamp timestamp;
  std::string topic;                 // of the record that led to it
  std::optional<Bytes> prior_value;  // what readers behind the buffer still see
  std::optional<Bytes> old_value;    // of the latest change
  std::optional<Bytes> new_value;
  Headers headers;

  // What Kafka Streams counts for it, so that limits in bytes mean the same.
  [[nodiscard]] std::uint64_t accounted_bytes(std::size_t key_size) const;
};

template <>
struct Serde<BufferKey> {
  static void encode(const BufferKey& key, Bytes& to);
  static std::optional<BufferKey> decode(ByteView bytes);
};

template <>
struct Serde<BufferEntry> {
  static void encode(const BufferEntry& entry, Bytes& to);
  static std::optional<BufferEntry> decode(ByteView bytes);
};

}  // namespace penstock::dsl
