// What has nothing to do with a record's data must not make the record a dead letter.
//
// Threads   any.
#pragma once

#include <utility>

#include "core/result.h"

namespace penstock::sinks {

// kRetry in place of kInvalid.
[[nodiscard]] inline Status never_refused(Status status) {
  if (!status && status.error().code() == ErrorCode::kInvalid) {
    return Error(ErrorCode::kRetry, status.error().message());
  }
  return status;
}

template <typename T>
[[nodiscard]] Status status_of(Result<T> result) {
  return result ? Status() : Status(std::move(result).error());
}

}  // namespace penstock::sinks
