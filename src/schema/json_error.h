// JsonError says what is wrong with a piece of JSON and where: a code for machines, a message for
// people, a byte position. Messages are literals, so that an error costs no allocation.
//
// Threads   values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock {

enum class JsonErrorCode : std::uint8_t {
  kNone,
  kInvalidJson,  // not RFC 8259
  kInvalidUtf8,  // well-formed but for bytes that are no UTF-8
  kTooDeep,      // nested deeper than Options::depth_max
  kTooLarge,     // larger than Options::event_bytes_max
  kNotAnObject,  // valid JSON, but an event must be an object
};

// The name used in answers and dead letters: "invalid_json", "invalid_utf8", "too_deep",
// "too_large", "not_an_object"; "none".
[[nodiscard]] std::string_view to_string(JsonErrorCode code);

struct JsonError {
  JsonErrorCode code = JsonErrorCode::kNone;
  std::string_view message;  // a literal: "expected ',' or '}' after a member"
  std::size_t position = 0;  // in bytes from the beginning of the body
};

}  // namespace penstock
