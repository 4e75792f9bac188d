// JsonValue is one value that was found in a document: its type and its text where it lies.
//
// Nothing is converted until asked. Numbers keep their text, so that no digit is lost; strings are
// the bytes between the quotes, and only those with escapes are ever copied (into a scratch string
// that the caller owns and reuses).
//
// Threads   a value; no sharing.
// Lifetime  `raw` points into the document that was scanned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock {

enum class JsonType : std::uint8_t { kMissing, kNull, kBool, kNumber, kString, kObject, kArray };

// "missing", "null", "bool", "number", "string", "object", "array".
[[nodiscard]] std::string_view to_string(JsonType type);

struct JsonValue {
  // The bytes of the value; of a string those between its quotes, escapes not resolved.
  std::string_view raw;
  JsonType type = JsonType::kMissing;
  // A string whose `raw` has at least one escape.
  bool escaped = false;

  [[nodiscard]] bool is_missing() const { return type == JsonType::kMissing; }

  // The value as it stands in the document: `raw`, with its quotes if it is a string.
  [[nodiscard]] std::string_view json() const {
    return type == JsonType::kString ? std::string_view(raw.data() - 1, raw.size() + 2) : raw;
  }

  // Nothing unless it is `true` or `false`.
  [[nodiscard]] std::optional<bool> as_bool() const;

  // Nothing unless it is a number and an integer of this range. "7", "7.0" and "7e2" are; written
  // with a fraction or an exponent it counts up to 2^53, where doubles are exact.
  [[nodiscard]] std::optional<std::int64_t> as_int64() const;

  // The nearest double. Nothing unless it is a number that no double is too small for.
  [[nodiscard]] std::optional<double> as_double() const;
};

// The content of a string, escapes resolved, as UTF-8. `value` must be a string. Points into the
// document, or into `scratch` (overwritten) if there were escapes.
[[nodiscard]] std::string_view string_text(const JsonValue& value, std::string& scratch);

// What a value is as a record's key: string_text() of a string, the JSON text of a number, true or
// false. Objects, arrays and null are no keys: nothing.
[[nodiscard]] std::optional<std::string_view> key_text(const JsonValue& value,
                                                       std::string& scratch);

}  // namespace penstock
