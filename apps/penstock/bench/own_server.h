// OwnServer is a server that `penstock bench` starts for itself: on a temporary data directory,
// with one topic and one job, after it has measured what the disk there can do.
//
// Threads   one object belongs to one thread.
// Lifetime  clock and files outlive it. The destructor stops the server and removes the directory,
//           unless it is to be kept.
// Errors    kInvalid  the temporary directory cannot be made
//           kBusy     the disk is too full to be measured
//           kFatal    the disk failed, or the program cannot be started
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/result.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "penstock/bench/bench.h"
#include "penstock/bench/disk_probe.h"
#include "penstock/bench/server_process.h"

namespace penstock::bench {

inline constexpr const char* kTopic = "bench";
inline constexpr const char* kStore = "bench_counts";

// A new directory that is removed with everything in it, unless it is to be kept.
class TemporaryDirectory {
 public:
  [[nodiscard]] static Result<TemporaryDirectory> make(const BenchOptions& options);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  TemporaryDirectory(std::string path, bool keep) : path_(std::move(path)), keep_(keep) {}

  std::string path_;
  bool keep_;
};

class OwnServer {
 public:
  // `program` is the path of this program.
  [[nodiscard]] static Result<std::unique_ptr<OwnServer>> start(const BenchOptions& options,
                                                                const std::string& program,
                                                                const os::Clock& clock,
                                                                os::FileSystem& files);

  [[nodiscard]] ServerProcess& process() { return *process_; }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  // Absent: it was not to be measured.
  [[nodiscard]] const std::optional<DiskSpeed>& disk() const { return disk_; }

 private:
  explicit OwnServer(TemporaryDirectory directory) : directory_(std::move(directory)) {}

  TemporaryDirectory directory_;
  std::optional<DiskSpeed> disk_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace penstock::bench
