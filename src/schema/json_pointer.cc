#include "schema/json_pointer.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace penstock {

namespace {

// The token with "~0" and "~1" resolved; false at any other use of '~'.
bool unescape_token(std::string_view raw, std::string& token) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '~') {
      token += raw[i];
      continue;
    }
    ++i;
    if (i == raw.size() || (raw[i] != '0' && raw[i] != '1')) {
      return false;
    }
    token += raw[i] == '0' ? '~' : '/';
  }
  return true;
}

Error invalid(std::string_view text, const char* why) {
  return {ErrorCode::kInvalid, "\"" + std::string(text) + "\" is not a JSON Pointer: " + why};
}

}  // namespace

Result<JsonPointer> JsonPointer::parse(std::string_view text) {
  JsonPointer pointer;
  pointer.text_ = text;
  if (text.empty()) {
    return pointer;
  }
  if (text.front() != '/') {
    return invalid(text, "it must be empty or begin with '/'");
  }
  for (std::size_t begin = 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    std::string token;
    if (!unescape_token(text.substr(begin, end - begin), token)) {
      return invalid(text, "'~' must be followed by 0 or 1 (\"~0\" is '~', \"~1\" is '/')");
    }
    pointer.tokens_.push_back(std::move(token));
    begin = end + 1;
  }
  return pointer;
}

}  // namespace penstock
