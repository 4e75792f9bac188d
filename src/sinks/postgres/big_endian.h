// Numbers at the end of a text of bytes, most significant byte first, as PostgreSQL sends them.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <string>

#include "core/bytes.h"

namespace penstock::sinks {

template <std::integral T>
void append_be(std::string& out, T value) {
  std::array<std::byte, sizeof(T)> bytes{};
  store_be(bytes.data(), value);
  out += as_text(bytes);
}

}  // namespace penstock::sinks
