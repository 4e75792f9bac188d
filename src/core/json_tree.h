// JsonTree is a JSON text as a tree: for small documents of our own, and for edits by people.
//
// Events on their way never go this way: schema/json_scanner.h reads those without a tree.
//
// Errors    kInvalid  parse_json(): not one JSON value (RFC 8259), or nested deeper than 128; the
//                     message says where
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace penstock {

struct JsonTree {
  enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  std::string text;  // of a string its content as UTF-8; of others as they are written
  std::string name;  // of a member of an object
  std::vector<JsonTree> children;  // of an array or object, in order

  // The member of that name; null if there is none, or this is no object.
  [[nodiscard]] JsonTree* find(std::string_view member);
  [[nodiscard]] const JsonTree* find(std::string_view member) const;

  // Of the member of that name; empty, nothing, if it is not there or something else.
  [[nodiscard]] std::string text_of(std::string_view member) const;
  [[nodiscard]] std::optional<std::int64_t> integer_of(std::string_view member) const;
  [[nodiscard]] const std::vector<JsonTree>& elements_of(std::string_view member) const;

  [[nodiscard]] bool is_true() const { return kind == Kind::kBool && text == "true"; }

  // As text again. Members keep their order, numbers every digit.
  [[nodiscard]] std::string json() const;
};

// Of members with one name the last counts, in the place of the first.
[[nodiscard]] Result<JsonTree> parse_json(std::string_view text);

}  // namespace penstock
