// ServerProcess is a penstock server of our own: `penstock up` as a child process on a data
// directory that is removed afterwards, watched from outside through the system's own books.
//
// Threads   one object belongs to one thread.
// Lifetime  the destructor stops the server (SIGTERM, after 20 s SIGKILL); it also ends when we do.
// Errors    kFatal  the program cannot be started, or it ended before it was ready
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

#include "core/result.h"
#include "os/file_system.h"
#include "penstock/bench/socket.h"

namespace penstock::bench {

class ServerProcess {
 public:
  struct Options {
    std::string program;    // the path of penstock
    std::string directory;  // exists; gets penstock.toml and data/
    std::string config;     // the contents of penstock.toml
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
  };

  [[nodiscard]] static Result<std::unique_ptr<ServerProcess>> start(const Options& options,
                                                                    os::FileSystem& files);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Waits for the process to end, at most `timeout`; true if it has ended.
  [[nodiscard]] bool wait(std::chrono::milliseconds timeout);

  // Processor time of all its threads so far, user and system, in steps of 10 ms.
  [[nodiscard]] Result<std::chrono::nanoseconds> cpu_time() const;

  // The most memory it ever had resident.
  [[nodiscard]] Result<std::uint64_t> rss_bytes_max() const;

 private:
  ServerProcess(os::FileSystem& files, pid_t pid, Descriptor pid_descriptor);

  [[nodiscard]] Result<std::string> read_proc(const std::string& name) const;

  os::FileSystem& files_;
  const pid_t pid_;
  const Descriptor pid_descriptor_;
  bool ended_ = false;
};

}  // namespace penstock::bench
