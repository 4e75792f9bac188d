// WindowKey names a value in a window store, and in its changelog.
//
// Changelog: key | int64 start | int32 number, big-endian: what Kafka Streams writes. `number`
// tells values of the same start apart: with duplicates values are numbered through the whole
// store, from 1 on; without it is 0.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace penstock::store {

inline constexpr std::uint32_t kLastWindowNumber = std::numeric_limits<std::int32_t>::max();

struct WindowKeyView {
  std::string_view key;
  std::int64_t start = 0;
  std::uint32_t number = 0;

  friend auto operator<=>(const WindowKeyView&, const WindowKeyView&) = default;
};

struct WindowKey {
  std::string key;
  std::int64_t start = 0;
  std::uint32_t number = 0;

  WindowKey(const WindowKeyView& view)  // NOLINT: its view, with memory
      : key(view.key), start(view.start), number(view.number) {}

  [[nodiscard]] WindowKeyView view() const { return {key, start, number}; }

  friend bool operator<(const WindowKey& left, const WindowKey& right) {
    return left.view() < right.view();
  }

  friend bool operator<(const WindowKey& left, const WindowKeyView& right) {
    return left.view() < right;
  }

  friend bool operator<(const WindowKeyView& left, const WindowKey& right) {
    return left < right.view();
  }
};

void append_window_key(const WindowKeyView& key, Bytes& to);
// Points into `bytes`; nothing: malformed.
[[nodiscard]] std::optional<WindowKeyView> parse_window_key(ByteView bytes);

}  // namespace penstock::store
