// A name that nobody else has: 32 hexadecimal digits, at random. Destinations keep it beside the
// positions, so that a process knows its own mark.
#pragma once

#include <string>
#include <string_view>

#include "os/random.h"

namespace penstock::sinks {

[[nodiscard]] inline std::string random_name(os::Random& random) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : random.uuid()) {
    text += kDigits[std::to_integer<std::size_t>(byte) >> 4];
    text += kDigits[std::to_integer<std::size_t>(byte) & 15];
  }
  return text;
}

}  // namespace penstock::sinks
