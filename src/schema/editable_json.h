// EditableJson is a JSON document taken apart so that it can be changed and written again: for
// edits by people, never for events on their way. Members keep their order, numbers every digit.
//
// Threads   a value; no sharing.
// Errors    kInvalid  not JSON (RFC 8259), or nested deeper than 128
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "schema/json_value.h"

namespace penstock {

struct EditableJson {
  JsonType type = JsonType::kNull;
  std::string text;                    // of a string its content; of a number as it is written
  std::string name;                    // of a member of an object
  std::vector<EditableJson> children;  // of an array or object

  // Of members with one name the last counts, as everywhere here.
  [[nodiscard]] static Result<EditableJson> parse(std::string_view json);

  [[nodiscard]] std::string json() const;

  // The member of that name; null if there is none, or this is no object.
  [[nodiscard]] EditableJson* member(std::string_view member_name);
  [[nodiscard]] const EditableJson* member(std::string_view member_name) const;

  // Equal as RFC 6902 has it: members in any order, numbers by their value.
  [[nodiscard]] bool equals(const EditableJson& other) const;
};

}  // namespace penstock
