// OutputRoom lends a decoder the next free bytes of a buffer, without passing a limit.
//
// A decoder that has just filled its limit cannot know whether more would come without being given
// at least one more byte. That byte is kept here and comes first at the next call.
//
// Threads   belongs to its decoder.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "core/check.h"
#include "core/padded_buffer.h"
#include "core/units.h"

namespace penstock::compress {

class OutputRoom {
 public:
  void reset() { spilled_.reset(); }

  // Where to write next; never empty. False if a spilled byte waits and the limit was not raised.
  [[nodiscard]] bool lend(PaddedBuffer& out, std::size_t limit, std::span<std::byte>& room) {
    if (spilled_.has_value() && out.size() < limit) {
      reserve(out, limit);
      out.append({&*spilled_, 1});
      spilled_.reset();
    }
    if (spilled_.has_value()) {
      return false;
    }
    if (out.size() >= limit) {
      room = probe_;
      return true;
    }
    reserve(out, limit);
    room = out.prepare(1).first(std::min(out.capacity(), limit) - out.size());
    return true;
  }

  // `written` bytes of the lent room were used.
  void take_back(PaddedBuffer& out, std::span<std::byte> room, std::size_t written) {
    if (room.data() != probe_.data()) {
      out.commit(written);
    } else if (written > 0) {
      spilled_ = probe_[0];
    }
  }

 private:
  static void reserve(PaddedBuffer& out, std::size_t limit) {
    if (out.size() == out.capacity()) {
      out.reserve(std::min(limit, std::max<std::size_t>(2 * out.size(), 16 * kKiB)));
    }
  }

  std::array<std::byte, 1> probe_{};
  std::optional<std::byte> spilled_;
};

}  // namespace penstock::compress
