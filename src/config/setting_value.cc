#include "config/setting_value.h"

#include <algorithm>
#include <array>

namespace penstock::config {
namespace {

constexpr std::string_view kUnlimited = "unlimited";

bool in_range(std::uint64_t number, const Range& range) {
  return number >= range.min && number <= range.max;
}

bool is_unlimited(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && *text == kUnlimited;
}

// A whole number that is not negative, or a text that `parse` understands.
template <typename Parse>
std::optional<std::uint64_t> number_in(const Value& value, Parse parse) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return *number < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(*number));
  }
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::nullopt : parse(*text);
}

std::optional<std::uint64_t> size_in(const std::string& text) {
  const auto size = parse_bytes(text);
  return size ? std::optional(*size) : std::nullopt;
}

// A size as parse_bytes() reads it, exact: "64MiB".
std::string exact_size(std::uint64_t size) {
  struct Unit {
    std::uint64_t size;
    const char* name;
  };

  constexpr std::array kUnits{Unit{kGiB, "GiB"}, Unit{kMiB, "MiB"}, Unit{kKiB, "KiB"}};
  for (const Unit& unit : kUnits) {
    if (size != 0 && size % unit.size == 0) {
      return std::to_string(size / unit.size) + unit.name;
    }
  }
  return std::to_string(size);
}

std::string in_words(std::uint64_t bound, Kind kind) {
  switch (kind) {
    case Kind::kSize:
      return exact_size(bound);
    case Kind::kDuration:
      return format_duration(milliseconds(static_cast<std::int64_t>(bound)));
    default:
      return std::to_string(bound);
  }
}

std::string range_text(const Shape& shape) {
  const bool bounded = shape.range.max != Range{}.max;
  const std::string low = in_words(shape.range.min, shape.kind);
  return bounded ? "from " + low + " to " + in_words(shape.range.max, shape.kind)
                 : "of at least " + low;
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

bool read_value(const Value& value, const Shape& shape, std::string& to) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) {
    return false;
  }
  to = *text;
  return shape.rule.fits(to);
}

bool read_value(const Value& value, const Shape& shape, std::optional<std::string>& to) {
  return read_value(value, shape, to.emplace());
}

bool read_value(const Value& value, const Shape& /*shape*/, bool& to) {
  const auto* flag = std::get_if<bool>(&value);
  if (flag == nullptr) {
    return false;
  }
  to = *flag;
  return true;
}

bool read_value(const Value& value, const Shape& shape, std::uint64_t& to) {
  const auto number = number_in(value, [&](const std::string& text) {
    return shape.kind == Kind::kSize ? size_in(text) : std::nullopt;
  });
  if (!number || !in_range(*number, shape.range)) {
    return false;
  }
  to = *number;
  return true;
}

bool read_value(const Value& value, const Shape& shape, std::optional<std::uint64_t>& to) {
  std::uint64_t number = 0;
  if (is_unlimited(value)) {
    to.reset();
    return true;
  }
  if (!read_value(value, shape, number)) {
    return false;
  }
  to = number;
  return true;
}

bool read_value(const Value& value, const Shape& shape, milliseconds& to) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) {
    return false;
  }
  const auto duration = parse_duration(*text);
  if (!duration || !in_range(static_cast<std::uint64_t>(duration->count()), shape.range)) {
    return false;
  }
  to = *duration;
  return true;
}

bool read_value(const Value& value, const Shape& shape, std::optional<milliseconds>& to) {
  milliseconds duration{0};
  if (is_unlimited(value)) {
    to.reset();
    return true;
  }
  if (!read_value(value, shape, duration)) {
    return false;
  }
  to = duration;
  return true;
}

bool read_value(const Value& value, const Shape& /*shape*/, std::vector<std::string>& to) {
  const auto* list = std::get_if<std::vector<std::string>>(&value);
  if (list == nullptr) {
    to = {shown(value)};
    return false;
  }
  to = *list;
  return std::all_of(to.begin(), to.end(), is_json_pointer);
}

bool read_value(const Value& value, const Shape& /*shape*/,
                std::map<std::string, std::string>& to) {
  const auto* properties = std::get_if<Properties>(&value);
  if (properties == nullptr) {
    return false;
  }
  to = *properties;
  return true;
}

std::string expected(const Shape& shape) {
  const std::string or_unlimited = shape.unlimited ? ", or \"unlimited\"" : "";
  switch (shape.kind) {
    case Kind::kText:
      return std::string(shape.rule.expected);
    case Kind::kSwitch:
      return "true or false";
    case Kind::kCount:
      return "a whole number " + range_text(shape);
    case Kind::kSize:
      return "a size " + range_text(shape) + ", such as \"64MiB\" (KiB, MiB, GiB)" + or_unlimited;
    case Kind::kDuration:
      return "a time " + range_text(shape) + ", such as \"10s\" (ms, s, m, h, d)" + or_unlimited;
    case Kind::kProperties:
      return "a table of texts, such as { \"security.protocol\" = \"ssl\" }";
    case Kind::kPointers:
      break;
  }
  return "a list of JSON Pointers, which begin with \"/\", such as [\"/user/id\"]";
}

std::string toml_text(const std::string& value, Kind /*kind*/) {
  return quoted(value);
}

std::string toml_text(const std::optional<std::string>& value, Kind /*kind*/) {
  return value ? quoted(*value) : "";
}

std::string toml_text(bool value, Kind /*kind*/) {
  return value ? "true" : "false";
}

std::string toml_text(std::uint64_t value, Kind kind) {
  return kind == Kind::kSize ? quoted(exact_size(value)) : std::to_string(value);
}

std::string toml_text(const std::optional<std::uint64_t>& value, Kind kind) {
  return value ? toml_text(*value, kind) : quoted(kUnlimited);
}

std::string toml_text(milliseconds value, Kind /*kind*/) {
  return quoted(format_duration(value));
}

std::string toml_text(const std::optional<milliseconds>& value, Kind kind) {
  return value ? toml_text(*value, kind) : quoted(kUnlimited);
}

std::string toml_text(const std::vector<std::string>& value, Kind /*kind*/) {
  std::string list = "[";
  for (const std::string& element : value) {
    list += (list.size() > 1 ? ", " : "") + quoted(element);
  }
  return list + "]";
}

std::string toml_text(const std::map<std::string, std::string>& value, Kind /*kind*/) {
  std::string table;
  for (const auto& [key, text] : value) {
    table += (table.empty() ? "{ " : ", ") + quoted(key) + " = " + quoted(text);
  }
  return table.empty() ? table : table + " }";
}

}  // namespace penstock::config
