#include "net/host.h"

#include <algorithm>

namespace penstock::net {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Unreserved characters and sub-delims.
bool is_name_character(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=";
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

// The part of `text` that is a registered name or an IPv4 address.
std::size_t name_size(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_name_character(text[at])) {
      ++at;
    } else if (text[at] == '%' && text.size() - at > 2 && is_hex_digit(text[at + 1]) &&
               is_hex_digit(text[at + 2])) {
      at += 3;
    } else {
      break;
    }
  }
  return at;
}

// The part of `text`, which begins with '[', that is an IP literal; 0 if it is none.
std::size_t literal_size(std::string_view text) {
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos || end < 2) {
    return 0;
  }
  const std::string_view inside = text.substr(1, end - 1);
  const bool valid = std::all_of(inside.begin(), inside.end(),
                                 [](char c) { return c == ':' || is_name_character(c); });
  return valid ? end + 1 : 0;
}

}  // namespace

bool is_host(std::string_view text) {
  const bool literal = text.starts_with('[');
  const std::size_t size = literal ? literal_size(text) : name_size(text);
  if (literal && size == 0) {
    return false;
  }
  const std::string_view rest = text.substr(size);
  return rest.empty() ||
         (rest.front() == ':' && std::all_of(rest.begin() + 1, rest.end(), is_digit));
}

}  // namespace penstock::net
