// `penstock bench` measures a server: it sends events for some seconds, waits until all of them are
// processed, checks that the counts are exact, and reports.
//
// Unless it is given the URL of one, it starts a server of its own on a temporary data directory,
// as a process apart, with one topic and one job that counts events per key in windows of ten
// seconds. The counts are exact if the events that answers called accepted, the offsets of the log
// and the sum of all counts in the store are the same number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/result.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace CLI {  // NOLINT(readability-identifier-naming): theirs
class App;
}

namespace penstock::bench {

struct BenchOptions {
  double seconds = 10;
  std::size_t event_bytes = 100;
  std::size_t request_bytes = 65'536;
  std::uint64_t keys = 1'000'000;
  double zipf = 0;
  double rate = 0;              // events per second; 0: as fast as possible
  std::size_t connections = 0;  // 0: default_connections()
  std::size_t pipeline = 1;     // requests that a connection sends at once
  std::uint32_t partitions = 4;
  std::string url;        // of a running server; empty: start one
  std::string directory;  // where the temporary data directory is made
  bool json = false;
  bool keep = false;  // the data directory stays
  bool no_disk_probe = false;
};

// Declares the options of the command on `command`; they are parsed into `options`.
void add_bench_options(CLI::App& command, BenchOptions& options);

// As many as keep the server busy while the disk syncs: 128, or 1,024 for requests of less than
// 8 KiB; fewer where so many requests would be more than 128 MiB, half of what a server holds. For
// sizes that Workload::create() has accepted, as check_memory().
[[nodiscard]] std::size_t default_connections(const BenchOptions& options);

// kInvalid: the requests of all connections do not fit the generator's memory.
[[nodiscard]] Status check_memory(const BenchOptions& options);

// Runs it, reports on standard output, and returns the exit code: 0 if the counts are exact and
// every request was answered 200. `program` is the path of this program.
[[nodiscard]] int run_bench(const BenchOptions& options, const std::string& program,
                            const os::Clock& clock, os::FileSystem& files);

}  // namespace penstock::bench
