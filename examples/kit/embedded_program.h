// EmbeddedProgram runs one topology on the embedded log, on the caller's thread: what the examples
// share.
//
//   EmbeddedProgram program;
//   program.open(folder, "shop", make_topology(), {"orders", "sales"})
//   program.append("orders", key, value, Timestamp(0))
//   program.run()     until everything is processed and committed
//   program.read("sales", [](const RecordView& record) { ... })
//   program.close()
//
// Threads   one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "engine/streams.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "record/record_batch.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "topology/topology.h"
#include "wal/embedded_log.h"

namespace kit {

class EmbeddedProgram {
 public:
  // Goes on with what is in the folder. `topics` are those that the topology reads and writes.
  [[nodiscard]] penstock::Status open(const std::string& folder, const std::string& application,
                                      penstock::topology::Topology topology,
                                      const std::vector<std::string>& topics);

  // Durable when it returns.
  [[nodiscard]] penstock::Status append(const std::string& topic, penstock::ByteView key,
                                        penstock::ByteView value, penstock::Timestamp timestamp);

  // Until everything that was appended is processed and committed.
  [[nodiscard]] penstock::Status run();

  // All records of a topic, partition by partition.
  [[nodiscard]] penstock::Status read(
      const std::string& topic, const std::function<void(const penstock::RecordView&)>& visit);

  [[nodiscard]] penstock::Status close();

 private:
  // True if there was something to do.
  [[nodiscard]] penstock::Result<bool> step();

  const std::unique_ptr<penstock::os::FileSystem> files_ = penstock::os::make_posix_file_system();
  penstock::os::RealClock clock_;
  penstock::os::SeededRandom random_{penstock::os::random_seed()};
  penstock::telemetry::Registry registry_;
  penstock::telemetry::Logger logger_{clock_, {.write = &EmbeddedProgram::print}};
  std::unique_ptr<penstock::wal::EmbeddedLog> log_;
  std::unique_ptr<penstock::engine::Streams> streams_;

  static void print(std::string_view line);
};

}  // namespace kit
