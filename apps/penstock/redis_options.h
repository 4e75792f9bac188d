// From [[redis]] to the options of its destination. As pipeline_options.h: names on the left, names
// on the right, no decisions.
//
// Errors    kInvalid  a password is not where the configuration says, with the setting's place
#pragma once

#include "config/config.h"
#include "core/result.h"
#include "os/file_system.h"
#include "sinks/redis/redis_destination.h"

namespace penstock::app {

[[nodiscard]] Result<sinks::RedisDestination::Options> redis_options(
    const config::RedisSettings& settings, os::FileSystem& files);

}  // namespace penstock::app
