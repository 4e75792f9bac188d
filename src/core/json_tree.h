// JsonTree is a JSON text as a tree: for small documents of our own that are read once.
//
// Events never go this way: schema/json_scanner.h reads those without a tree.
//
// Errors    kInvalid  parse_json(): the text is not one JSON value (RFC 8259); the message says
// where
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace penstock {

struct JsonField;

struct JsonTree {
  enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  std::string text;  // of a string: its content as UTF-8; of a number: its digits
  std::vector<JsonTree> elements;
  std::vector<JsonField> fields;  // in order

  // Null if there is no such field, or this is no object.
  [[nodiscard]] const JsonTree* find(std::string_view name) const;

  // Of the field of that name; empty, nothing, if it is not there or something else.
  [[nodiscard]] std::string text_of(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer_of(std::string_view name) const;
  [[nodiscard]] const std::vector<JsonTree>& elements_of(std::string_view name) const;
};

struct JsonField {
  std::string name;
  JsonTree value;
};

[[nodiscard]] Result<JsonTree> parse_json(std::string_view text);

}  // namespace penstock
