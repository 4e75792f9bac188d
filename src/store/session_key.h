// SessionKey names a value in a session store, and in its changelog.
//
// Changelog: key | int64 end | int64 start, big-endian: what Kafka Streams writes.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "store/byte_stores.h"

namespace penstock::store {

struct SessionKeyView {
  std::string_view key;
  std::int64_t end = 0;
  std::int64_t start = 0;

  [[nodiscard]] SessionSpan span() const { return {Timestamp(start), Timestamp(end)}; }

  friend auto operator<=>(const SessionKeyView&, const SessionKeyView&) = default;
};

struct SessionKey {
  std::string key;
  std::int64_t end = 0;
  std::int64_t start = 0;

  SessionKey(const SessionKeyView& view)  // NOLINT: its view, with memory
      : key(view.key), end(view.end), start(view.start) {}

  [[nodiscard]] SessionKeyView view() const { return {key, end, start}; }

  [[nodiscard]] SessionSpan span() const { return view().span(); }

  friend bool operator<(const SessionKey& left, const SessionKey& right) {
    return left.view() < right.view();
  }

  friend bool operator<(const SessionKey& left, const SessionKeyView& right) {
    return left.view() < right;
  }

  friend bool operator<(const SessionKeyView& left, const SessionKey& right) {
    return left < right.view();
  }
};

void append_session_key(const SessionKeyView& key, Bytes& to);
// Points into `bytes`; nothing: malformed.
[[nodiscard]] std::optional<SessionKeyView> parse_session_key(ByteView bytes);

}  // namespace penstock::store
