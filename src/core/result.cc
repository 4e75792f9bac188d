#include "core/result.h"

namespace penstock {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kRetry:
      return "retry";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kInvalid:
      return "invalid";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kAbortTxn:
      return "abort_transaction";
    case ErrorCode::kFenced:
      return "fenced";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kFatal:
      return "fatal";
  }
  PENSTOCK_CHECK(false);
  return "";
}

std::string Error::to_string() const {
  return std::string(penstock::to_string(code_)) + ": " + message_;
}

}  // namespace penstock
