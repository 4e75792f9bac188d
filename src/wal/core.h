// EmbeddedLog::Core is the object graph of one open log, in order of construction.
//
// Threads   as EmbeddedLog.
#pragma once

#include <memory>
#include <vector>

#include "core/guarded.h"
#include "wal/embedded_log.h"
#include "wal/keeper.h"
#include "wal/spares.h"
#include "wal/state.h"
#include "wal/submitter.h"
#include "wal/writer.h"

namespace penstock::wal {

class EmbeddedLog::Core {
 public:
  Core(std::unique_ptr<os::FileLock> directory_lock, Options options, os::FileSystem& files,
       const os::Clock& clock, os::Random& random, telemetry::Registry& registry)
      : lock(std::move(directory_lock)),
        shared(std::move(options), files, clock, random, registry),
        spares(files, shared.options.directory, shared.options.segment_bytes) {}

  // Recovers what is there and gets ready to write.
  [[nodiscard]] Status start(telemetry::Registry& registry);

  const std::unique_ptr<os::FileLock> lock;
  Shared shared;
  SpareSegments spares;
  RecoveryReport report;
  // Whoever holds it is the writer for one turn: the writer's thread, or a caller that must wait.
  // Its mutex is held during I/O, unlike any other.
  std::unique_ptr<Guarded<Writer>> writer;
  std::unique_ptr<Submitter> submitter;
  std::unique_ptr<Keeper> keeper;
  std::vector<telemetry::CallbackGuard> gauges;
};

}  // namespace penstock::wal
