// The embedded log keeps the contract of the log port: on a simulated disk without any thread, and
// on a real one with its own threads.
#include "testing/log_contract.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "core/check.h"
#include "os/thread.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "wal/embedded_log.h"

namespace penstock::wal {
namespace {

using std::chrono_literals::operator""ms;

Options small_options(const std::string& directory) {
  Options options;
  options.directory = directory;
  options.segment_bytes = 16 * kMiB;
  options.group_bytes_max = 4 * kMiB;
  options.append_bytes_max = 4 * kMiB;
  options.tail_cache_bytes = 2 * kMiB;
  options.reserve_bytes = kMiB;
  return options;
}

class OnSimulatedDisk final : public testing::LogUnderTest {
 public:
  OnSimulatedDisk() { open(); }

  log::Log& log() override { return *log_; }

  void drive() override {
    PENSTOCK_CHECK(log_->run_once(clock_.now()).has_value());
    PENSTOCK_CHECK(log_->maintain_once(clock_.now()).has_value());
    clock_.advance(1ms);
  }

  void reopen() override {
    log_.reset();
    disk_.crash();
    open();
  }

 private:
  void open() {
    metrics_ = std::make_unique<telemetry::Registry>();
    auto opened = EmbeddedLog::open(small_options("data/log"), disk_, clock_, random_, *metrics_);
    PENSTOCK_CHECK(opened.has_value());
    log_ = *std::move(opened);
  }

  testing::SimClock clock_;
  testing::SimFileSystem disk_;
  os::SeededRandom random_{1};
  std::unique_ptr<telemetry::Registry> metrics_;
  std::unique_ptr<EmbeddedLog> log_;
};

class OnRealDisk final : public testing::LogUnderTest {
 public:
  OnRealDisk() {
    std::string path = (std::filesystem::temp_directory_path() / "penstock-wal-XXXXXX").string();
    PENSTOCK_CHECK(::mkdtemp(path.data()) != nullptr);
    directory_ = path;
    open();
  }

  ~OnRealDisk() override {
    stop();
    std::filesystem::remove_all(directory_);
  }

  log::Log& log() override { return *log_; }

  void drive() override {}

  void reopen() override {
    stop();
    open();
  }

 private:
  void open() {
    metrics_ = std::make_unique<telemetry::Registry>();
    auto opened = EmbeddedLog::open(small_options(directory_), *files_, clock_, random_, *metrics_);
    PENSTOCK_CHECK(opened.has_value());
    log_ = *std::move(opened);
    writer_ = std::make_unique<os::Thread>("wal", [this](const os::StopToken& stop) {
      while (!stop.requested()) {
        log_->wait(100ms);
        PENSTOCK_CHECK(log_->run_once(clock_.now()).has_value());
      }
    });
    keeper_ = std::make_unique<os::Thread>("wal-keeper", [this](const os::StopToken& stop) {
      while (!stop.requested()) {
        log_->wait_for_maintenance(100ms);
        PENSTOCK_CHECK(log_->maintain_once(clock_.now()).has_value());
      }
    });
  }

  void stop() {
    writer_->request_stop();
    keeper_->request_stop();
    log_->wake();
    log_->wake_maintenance();
    writer_.reset();
    keeper_.reset();
    log_.reset();
  }

  os::RealClock clock_;
  os::SeededRandom random_{os::random_seed()};
  std::unique_ptr<os::FileSystem> files_ = os::make_posix_file_system();
  std::string directory_;
  std::unique_ptr<telemetry::Registry> metrics_;
  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<os::Thread> writer_;
  std::unique_ptr<os::Thread> keeper_;
};

std::unique_ptr<testing::LogUnderTest> make_on_simulated_disk() {
  return std::make_unique<OnSimulatedDisk>();
}

std::unique_ptr<testing::LogUnderTest> make_on_real_disk() {
  return std::make_unique<OnRealDisk>();
}

}  // namespace
}  // namespace penstock::wal

namespace penstock::testing {

INSTANTIATE_TEST_SUITE_P(EmbeddedLogOnSimulatedDisk, LogContract,
                         ::testing::Values(&wal::make_on_simulated_disk));
INSTANTIATE_TEST_SUITE_P(EmbeddedLogOnRealDisk, LogContract,
                         ::testing::Values(&wal::make_on_real_disk));

}  // namespace penstock::testing
