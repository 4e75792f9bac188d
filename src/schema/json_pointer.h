// JsonPointer names one value inside a JSON document: "/user/id", "/items/0/price".
//
// Parsed and unescaped once (`~1` is '/', `~0` is '~'); ExtractPlan compiles several of them for
// the scanner. The empty pointer "" is the whole document. A token of digits without a leading zero
// names a member of an object and an element of an array alike. "-" (the element behind the last)
// names nothing that exists, so it never matches in an array.
// Source: RFC 6901. The URI fragment form ("#/a") is not accepted.
//
// Threads   a value; no sharing.
// Errors    kInvalid  the text is not empty and does not begin with '/', or has a '~' without 0 or
// 1
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace penstock {

class JsonPointer {
 public:
  [[nodiscard]] static Result<JsonPointer> parse(std::string_view text);

  // The text it was parsed from.
  [[nodiscard]] const std::string& text() const { return text_; }

  // Reference tokens from the outside in, unescaped; none for the whole document.
  [[nodiscard]] const std::vector<std::string>& tokens() const { return tokens_; }

 private:
  JsonPointer() = default;

  std::string text_;
  std::vector<std::string> tokens_;
};

}  // namespace penstock
