#include "core/json_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "core/bytes.h"
#include "core/check.h"

namespace penstock {

namespace {

// The letter after the backslash for the characters that have a short escape, else 0.
char short_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

// The high bit of each byte that is below 0x20, a quote or a backslash. Bytes above 0x7f have no
// say in this; where a borrow runs into the byte above, a byte was marked already.
std::uint64_t marks_of_escapes(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
  constexpr std::uint64_t kHighBits = 0x8080'8080'8080'8080;
  const std::uint64_t quotes = bytes ^ kOnes * '"';
  const std::uint64_t backslashes = bytes ^ kOnes * '\\';
  return ((bytes - kOnes * 0x20) | (quotes - kOnes) | (backslashes - kOnes)) & ~bytes & kHighBits;
}

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(std::string& out, char c) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const char letter = short_escape(c);
  out += '\\';
  if (letter != 0) {
    out += letter;
    return;
  }
  out += "u00";
  out += kHex[static_cast<unsigned char>(c) >> 4];
  out += kHex[static_cast<unsigned char>(c) & 15];
}

template <typename T>
void append_number(std::string& out, T number) {
  std::array<char, 32> digits;  // the longest double has 24 characters, the longest integer 20
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  PENSTOCK_CHECK(error == std::errc());
  out.append(digits.data(), end);
}

}  // namespace

bool needs_json_escape(std::string_view text) {
  const auto* at = reinterpret_cast<const std::byte*>(text.data());
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    if (marks_of_escapes(load_le<std::uint64_t>(at)) != 0) {
      return true;
    }
  }
  return std::ranges::any_of(text.substr(text.size() - left), needs_escape);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  if (!needs_json_escape(text)) {
    out += text;
    out += '"';
    return;
  }
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (needs_escape(text[at])) {
      out.append(text, copied, at - copied);
      append_escaped(out, text[at]);
      copied = at + 1;
    }
  }
  out.append(text, copied);
  out += '"';
}

void append_json_number(std::string& out, double number) {
  if (std::isfinite(number)) {
    append_number(out, number);
  } else {
    out += "null";
  }
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  comma_due_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  separate();
  append_json_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_due_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_due_ = true;
  return *this;
}

JsonWriter& JsonWriter::signed_value(std::int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::unsigned_value(std::uint64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

// Before each value or key: the comma that the one before it left due. Leaves the next one due.
void JsonWriter::separate() {
  if (comma_due_) {
    out_ += ',';
  }
  comma_due_ = true;
}

}  // namespace penstock
