#include "schema/json_error.h"

namespace penstock {

std::string_view to_string(JsonErrorCode code) {
  switch (code) {
    case JsonErrorCode::kNone:
      return "none";
    case JsonErrorCode::kInvalidJson:
      return "invalid_json";
    case JsonErrorCode::kInvalidUtf8:
      return "invalid_utf8";
    case JsonErrorCode::kTooDeep:
      return "too_deep";
    case JsonErrorCode::kTooLarge:
      return "too_large";
    case JsonErrorCode::kNotAnObject:
      return "not_an_object";
  }
  return "none";
}

}  // namespace penstock
