// Where the archive's files go, by the configuration: a local folder, a bucket, or both.
//
// Errors    kInvalid  a secret is not where the configuration says, or an endpoint cannot be read
#pragma once

#include <memory>
#include <vector>

#include "config/config.h"
#include "core/result.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "sinks/archive/archive_store.h"
#include "telemetry/registry.h"

namespace penstock::app {

// What stores are made of; all of it outlives them.
struct StoreSurroundings {
  os::FileSystem& files;
  const os::Clock& clock;
  os::Random& random;
  telemetry::Registry& registry;
};

// The local one first. Empty where the archive is switched off.
[[nodiscard]] Result<std::vector<std::unique_ptr<sinks::ArchiveStore>>> archive_stores(
    const config::PipelineConfig& config, const StoreSurroundings& surroundings);

}  // namespace penstock::app
