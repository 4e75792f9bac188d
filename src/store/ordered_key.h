// Bytes and numbers as bytes that sort as they do, one behind the other.
//
// A key of several parts must not sort by where its parts end: "a" with any number comes before
// "ab" with any. So bytes end with two zeros, and a zero in them is written as a zero and 0xff.
// Numbers are big-endian, their sign turned over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::store {

void append_ordered(std::string& to, std::string_view bytes);
void append_ordered(std::string& to, std::int64_t number);
void append_ordered(std::string& to, std::uint32_t number);

// Each takes one part off the front of what append_ordered() wrote (checked).
[[nodiscard]] std::string take_ordered_bytes(std::string_view& from);
[[nodiscard]] std::int64_t take_ordered_int64(std::string_view& from);
[[nodiscard]] std::uint32_t take_ordered_uint32(std::string_view& from);

}  // namespace penstock::store
