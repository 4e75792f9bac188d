#include "oracle/shown.h"

#include <cstddef>

namespace penstock::oracle {
namespace {

[[nodiscard]] std::int64_t number_at(std::string_view bytes, std::size_t index) {
  return load_be<std::int64_t>(as_bytes(bytes).data() + index);
}

[[nodiscard]] std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text.empty() ? "''" : text;
}

// Bytes that a format has beside the text.
[[nodiscard]] std::size_t number_bytes(Format format) {
  constexpr std::size_t kNumber = sizeof(std::int64_t);
  switch (format) {
    case Format::kNumber:
    case Format::kWindow:
      return kNumber;
    case Format::kSession:
      return 2 * kNumber;
    case Format::kText:
    case Format::kBytes:
      return 0;
  }
  return 0;
}

}  // namespace

std::string shown(const std::optional<std::string>& text) {
  return !text.has_value() ? "null" : text->empty() ? "''" : *text;
}

std::string shown_window(std::string_view key, std::int64_t start) {
  return std::string(key) + "[" + std::to_string(start) + "]";
}

std::string shown_session(std::string_view key, std::int64_t start, std::int64_t end) {
  return std::string(key) + "[" + std::to_string(start) + ".." + std::to_string(end) + "]";
}

std::string shown(const std::optional<std::string>& bytes, Format format) {
  if (!bytes.has_value()) {
    return "null";
  }
  const std::size_t numbers = number_bytes(format);
  if (bytes->size() < numbers || (format == Format::kNumber && bytes->size() != numbers)) {
    return "?" + hex(*bytes);
  }
  const std::string_view text = std::string_view(*bytes).substr(0, bytes->size() - numbers);
  switch (format) {
    case Format::kText:
      return shown(bytes);
    case Format::kNumber:
      return std::to_string(number_at(*bytes, 0));
    case Format::kWindow:
      return shown_window(text, number_at(*bytes, text.size()));
    case Format::kSession:
      return shown_session(text, number_at(*bytes, text.size() + sizeof(std::int64_t)),
                           number_at(*bytes, text.size()));
    case Format::kBytes:
      return hex(*bytes);
  }
  return {};
}

}  // namespace penstock::oracle
