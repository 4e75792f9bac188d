#include "penstock/bench/own_server.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include <unistd.h>

#include "penstock/bench/socket.h"

namespace penstock::bench {

namespace {

constexpr const char* kHost = "127.0.0.1";

// The configuration of our own server. Windows stay until the run is over, so that their counts can
// be summed up; late is only what is a minute late. The log keeps a few GiB, so that a long run
// does not need a large disk.
std::string server_config(const BenchOptions& options) {
  return "[log]\n"
         "backend = \"embedded\"\n"
         "retention_size = \"1GiB\"\n"
         "[engine]\n"
         "state_memory_max = \"4GiB\"\n"
         "[archive]\n"
         "enabled = false\n"
         "[logging]\n"
         "level = \"warn\"\n"
         "[[topic]]\n"
         "name = \"bench\"\n"
         "partitions = " +
         std::to_string(options.partitions) +
         "\n"
         "key = \"/user\"\n"
         "timestamp = \"/ts\"\n"
         "[[aggregate]]\n"
         "name = \"bench_counts\"\n"
         "topic = \"bench\"\n"
         "group_by = [\"/user\"]\n"
         "window = \"10s\"\n"
         "grace = \"1m\"\n"
         "count = true\n";
}

}  // namespace

Result<TemporaryDirectory> TemporaryDirectory::make(const BenchOptions& options) {
  std::string parent = options.directory;
  if (parent.empty()) {
    const char* temporary = std::getenv("TMPDIR");
    parent = temporary != nullptr ? temporary : "/var/tmp";
  }
  std::string path = os::join_path(parent, "penstock-bench-" + std::to_string(getpid()));
  std::error_code problem;
  if (!std::filesystem::create_directory(path, problem)) {
    return Error(ErrorCode::kInvalid, "the temporary directory " + path + " cannot be made (" +
                                          problem.message() + "); choose another --directory");
  }
  return TemporaryDirectory(std::move(path), options.keep);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, "")), keep_(other.keep_) {}

TemporaryDirectory::~TemporaryDirectory() {
  if (!path_.empty() && !keep_) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

Result<std::unique_ptr<OwnServer>> OwnServer::start(const BenchOptions& options,
                                                    const std::string& program,
                                                    const os::Clock& clock, os::FileSystem& files) {
  PENSTOCK_TRY_ASSIGN(TemporaryDirectory directory, TemporaryDirectory::make(options));
  std::unique_ptr<OwnServer> server(new OwnServer(std::move(directory)));
  const std::string& path = server->directory_.path();
  if (!options.no_disk_probe) {
    const Result<DiskSpeed> speed = measure_disk(files, clock, {.directory = path});
    if (!speed) {
      return speed.error().with("the disk cannot be measured (--no-disk-probe leaves that out)");
    }
    server->disk_ = *speed;
  }
  PENSTOCK_TRY_ASSIGN(server->port_, free_loopback_port());
  PENSTOCK_TRY_ASSIGN(server->process_, ServerProcess::start({.program = program,
                                                              .directory = path,
                                                              .config = server_config(options),
                                                              .host = kHost,
                                                              .port = server->port_},
                                                             files));
  return server;
}

}  // namespace penstock::bench
