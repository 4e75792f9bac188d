// DslWorld runs a program of the DSL on the real engine and the simulated log: transactions that
// fail, and crashes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "engine/streams.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/random.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::testing {

// Values by key, in the order in which they came; both as bytes.
using Values = std::map<std::string, std::vector<std::string>>;

class DslWorld {
 public:
  static constexpr std::int32_t kPartitionCount = 3;

  struct Options {
    std::vector<std::string> topics;
    std::function<topology::Topology()> topology;
    bool exactly_once = true;
    std::size_t fetch_bytes = 4 * kMiB;
  };

  explicit DslWorld(Options options);
  ~DslWorld();

  DslWorld(const DslWorld&) = delete;
  DslWorld& operator=(const DslWorld&) = delete;

  void send(const std::string& topic, const std::string& key,
            const std::optional<std::string>& value, std::int64_t at);
  void run_engine_once();
  void step();
  // Until everything is processed and committed; then a new engine begins.
  void run_until_idle();
  // kill -9: the engine is gone with all its memory, the log keeps what is durable.
  void crash();
  // Crashes when a commit has become durable and the engine does not know yet.
  void crash_after_commit();
  // A few steps, and now and then a commit that fails or a crash.
  void disturb(SeededRandom& random);

  [[nodiscard]] Values read(const std::string& topic);
  // Of each partition.
  [[nodiscard]] std::vector<log::PartitionOffsets> offsets(const std::string& topic) const;
  // Asks until all partitions are there; of one key, or of all. Keys and values as text.
  [[nodiscard]] std::map<std::string, std::string> query(
      const std::string& store, const std::optional<std::string>& key = std::nullopt);

 private:
  void start();

  const Options options_;
  SimClock clock_;
  telemetry::Registry registry_;
  telemetry::Logger logger_;
  SimLog log_;
  std::unique_ptr<engine::Streams> streams_;
};

}  // namespace penstock::testing
