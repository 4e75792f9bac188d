// JsonWriter writes JSON text to the end of a string: commas, quotes and escapes are its work.
//
//   JsonWriter json(out);
//   json.begin_object().key("accepted").value(12).key("errors").begin_array().end_array();
//   json.end_object();
//
// For answers and other small texts, written once per request, not per event. Strings must be
// UTF-8; control characters, quotes and backslashes are escaped, everything else is copied.
// Doubles are written as the shortest text that reads back as the same number; NaN and infinity,
// which JSON does not have, as null.
//
// Lifetime  the string outlives the writer.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }

  JsonWriter& end_object() { return close('}'); }

  JsonWriter& begin_array() { return open('['); }

  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);

  // Without this one a literal would become a bool.
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }

  JsonWriter& value(double number);

  template <std::signed_integral T>
  JsonWriter& value(T number) {
    return signed_value(number);
  }

  template <std::unsigned_integral T>
  JsonWriter& value(T number) {
    if constexpr (std::same_as<T, bool>) {
      return raw(number ? "true" : "false");
    } else {
      return unsigned_value(number);
    }
  }

  JsonWriter& null() { return raw("null"); }

  // `json` is one JSON value already, for example an event, and is copied as it is.
  JsonWriter& raw(std::string_view json);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& signed_value(std::int64_t number);
  JsonWriter& unsigned_value(std::uint64_t number);
  void separate();

  std::string& out_;
  bool comma_due_ = false;
};

// Whether append_json_string() would do more than put quotes around `text`.
[[nodiscard]] bool needs_json_escape(std::string_view text);

// Appends `text` as a JSON string, with its quotes.
void append_json_string(std::string& out, std::string_view text);

// Appends the shortest text that reads back as `number`; null for NaN and infinity.
void append_json_number(std::string& out, double number);

}  // namespace penstock
