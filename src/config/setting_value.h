// Turns what was written into the value of a setting, and back into the text of a TOML file.
//
// read_value() answers whether `value` fits `shape`. A text that does not is stored all the same,
// so that one mistake is one message: checks that come later find the setting given. What would
// have fitted is told by expected(), which completes the sentence "<setting> must be ...".
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/document.h"
#include "config/settings.h"

namespace penstock::config {

// The part of a Setting that does not depend on where it is stored.
struct Shape {
  Kind kind;
  Range range;
  TextRule rule;
  bool unlimited = false;  // the text "unlimited" is allowed
};

[[nodiscard]] bool read_value(const Value& value, const Shape& shape, std::string& to);
[[nodiscard]] bool read_value(const Value& value, const Shape& shape,
                              std::optional<std::string>& to);
[[nodiscard]] bool read_value(const Value& value, const Shape& shape, bool& to);
[[nodiscard]] bool read_value(const Value& value, const Shape& shape, std::uint64_t& to);
[[nodiscard]] bool read_value(const Value& value, const Shape& shape,
                              std::optional<std::uint64_t>& to);
[[nodiscard]] bool read_value(const Value& value, const Shape& shape, milliseconds& to);
[[nodiscard]] bool read_value(const Value& value, const Shape& shape,
                              std::optional<milliseconds>& to);
[[nodiscard]] bool read_value(const Value& value, const Shape& shape, std::vector<std::string>& to);

[[nodiscard]] bool read_value(const Value& value, const Shape& shape,
                              std::map<std::string, std::string>& to);

[[nodiscard]] std::string expected(const Shape& shape);

// The value as TOML; "" for a text that is not set.
[[nodiscard]] std::string toml_text(const std::string& value, Kind kind);
[[nodiscard]] std::string toml_text(const std::optional<std::string>& value, Kind kind);
[[nodiscard]] std::string toml_text(bool value, Kind kind);
[[nodiscard]] std::string toml_text(std::uint64_t value, Kind kind);
[[nodiscard]] std::string toml_text(const std::optional<std::uint64_t>& value, Kind kind);
[[nodiscard]] std::string toml_text(milliseconds value, Kind kind);
[[nodiscard]] std::string toml_text(const std::optional<milliseconds>& value, Kind kind);
[[nodiscard]] std::string toml_text(const std::vector<std::string>& value, Kind kind);
// One line: { "a.b" = "c" }; "" for an empty one.
[[nodiscard]] std::string toml_text(const std::map<std::string, std::string>& value, Kind kind);

template <typename S>
[[nodiscard]] Shape shape_of(const Setting<S>& setting) {
  const bool unlimited =
      std::holds_alternative<std::optional<std::uint64_t> S::*>(setting.member) ||
      std::holds_alternative<std::optional<milliseconds> S::*>(setting.member);
  return {setting.kind, setting.range, setting.rule, unlimited};
}

template <typename S>
[[nodiscard]] bool read_setting(const Value& value, const Setting<S>& setting, S& to) {
  return std::visit([&](auto member) { return read_value(value, shape_of(setting), to.*member); },
                    setting.member);
}

template <typename S>
[[nodiscard]] std::string setting_toml(const S& section, const Setting<S>& setting) {
  return std::visit([&](auto member) { return toml_text(section.*member, setting.kind); },
                    setting.member);
}

}  // namespace penstock::config
