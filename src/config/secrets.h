// Secrets stand outside of the configuration, which only says where: in the environment or in a
// file.
//
//   "${env:NAME}"   the environment variable NAME
//   "${file:PATH}"  the contents of the file, without a newline at the end
//
// The forms are those of Kafka's config providers. Texts that are not of them stand for themselves.
//
// Threads   any.
// Errors    kInvalid  there is no such variable or file; the message names it, never a value
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "os/file_system.h"

namespace penstock::config {

// Whether the value of a property of that name (of librdkafka) must be a reference.
[[nodiscard]] bool is_secret(std::string_view property);
[[nodiscard]] bool is_reference(std::string_view value);

// `environment` is of "NAME=value" each.
[[nodiscard]] Result<std::string> resolve_reference(std::string_view value, os::FileSystem& files,
                                                    std::span<const std::string> environment);

}  // namespace penstock::config
