// SpillDirectory is the gateway's spill on this machine's disk: one embedded log per generation.
//
//   <data-dir>/spill/id   the gateway's id, made once
//   <data-dir>/spill/7    generation 7
//
// Each open generation has the two threads of an embedded log.
//
// Threads   as gateway/spill_store.h. `on_failure` runs on a generation's thread.
// Lifetime  everything given to open() outlives it.
// Errors    open()  kBusy     another process has it open
//                   kCorrupt  the id cannot be read
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "gateway/spill_store.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "wal/options.h"

namespace penstock::app {

class SpillDirectory final : public gateway::SpillStore {
 public:
  struct Surroundings {
    os::FileSystem& files;
    const os::Clock& clock;
    os::Random& random;
    telemetry::Registry& metrics;
    telemetry::Logger& logger;
  };

  // `options` are those of each generation; `options.directory` is the spill's.
  [[nodiscard]] static Result<std::unique_ptr<SpillDirectory>> open(
      wal::Options options, const Surroundings& surroundings,
      std::function<void(const Error&)> on_failure);

  [[nodiscard]] std::string_view gateway_id() const override { return gateway_id_; }

  [[nodiscard]] Result<std::vector<std::uint64_t>> generations() override;
  [[nodiscard]] Result<std::unique_ptr<gateway::SpillGeneration>> open(
      std::uint64_t number) override;
  [[nodiscard]] Status remove(std::uint64_t number) override;

 private:
  SpillDirectory(wal::Options options, const Surroundings& surroundings,
                 std::function<void(const Error&)> on_failure)
      : options_(std::move(options)),
        surroundings_(surroundings),
        on_failure_(std::move(on_failure)) {}

  [[nodiscard]] Status read_gateway_id();
  [[nodiscard]] Status finish_removals();
  [[nodiscard]] Status remove_files(const std::string& directory);
  [[nodiscard]] std::string path(const std::string& name) const;

  const wal::Options options_;
  const Surroundings surroundings_;
  const std::function<void(const Error&)> on_failure_;
  std::unique_ptr<os::FileLock> lock_;
  std::string gateway_id_;
};

}  // namespace penstock::app
