#include "core/json_string.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace penstock {

namespace {

constexpr std::uint32_t kNoCode = 0xffffffff;

// The character of a one-letter escape, or 0.
char short_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

std::uint32_t hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<std::uint32_t>(c - '0');
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<std::uint32_t>(lower - 'a' + 10) : kNoCode;
}

// The code unit of "\uXXXX" at `at`, or kNoCode.
std::uint32_t code_unit(std::string_view raw, std::size_t at) {
  if (at + 6 > raw.size() || raw[at] != '\\' || raw[at + 1] != 'u') {
    return kNoCode;
  }
  std::uint32_t unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const std::uint32_t digit = hex_digit(raw[i]);
    if (digit == kNoCode) {
      return kNoCode;
    }
    unit = unit << 4 | digit;
  }
  return unit;
}

struct Escape {
  std::uint32_t code_point = kNoCode;
  std::size_t size = 0;  // of its text; 0 if it is a bad one
};

// Reads the escape whose backslash is at `at`.
Escape read_escape(std::string_view raw, std::size_t at) {
  if (at + 1 == raw.size()) {
    return {};
  }
  if (const char c = short_escape(raw[at + 1]); c != 0) {
    return {static_cast<std::uint32_t>(c), 2};
  }
  const std::uint32_t unit = code_unit(raw, at);
  if (unit == kNoCode || (unit >= 0xDC00 && unit <= 0xDFFF)) {
    return {};
  }
  if (unit < 0xD800 || unit > 0xDBFF) {
    return {unit, 6};
  }
  const std::uint32_t low = code_unit(raw, at + 6);
  if (low < 0xDC00 || low > 0xDFFF) {
    return {};
  }
  return {0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), 12};
}

void append_utf8(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
}

}  // namespace

const char* find_bad_escape(std::string_view raw) {
  std::size_t at = raw.find('\\');
  while (at != std::string_view::npos) {
    const Escape escape = read_escape(raw, at);
    if (escape.size == 0) {
      return raw.data() + at;
    }
    at = raw.find('\\', at + escape.size);
  }
  return nullptr;
}

void unescape_json(std::string_view raw, std::string& text) {
  text.clear();
  std::size_t at = 0;
  while (at < raw.size()) {
    const std::size_t escape_at = std::min(raw.find('\\', at), raw.size());
    text.append(raw, at, escape_at - at);
    at = escape_at;
    if (at == raw.size()) {
      return;
    }
    const Escape escape = read_escape(raw, at);
    if (escape.size == 0) {
      text += raw[at++];
    } else {
      append_utf8(text, escape.code_point);
      at += escape.size;
    }
  }
}

}  // namespace penstock
