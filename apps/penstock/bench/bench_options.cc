#include <algorithm>

#include <CLI/CLI.hpp>

#include "core/units.h"
#include "penstock/bench/bench.h"

namespace penstock::bench {

namespace {

constexpr std::uint64_t kSmallRequestBytes = 8 * kKiB;
constexpr std::size_t kConnectionsSmall = 1024;
constexpr std::size_t kConnectionsLarge = 128;
constexpr std::uint64_t kDefaultBytesMax = 128 * kMiB;
constexpr std::uint64_t kRequestMemoryMax = 4 * kGiB;

std::uint64_t request_size(const BenchOptions& options) {
  return std::max(options.request_bytes, options.event_bytes);
}

std::uint64_t connection_bytes(const BenchOptions& options) {
  return request_size(options) * options.pipeline;
}

}  // namespace

void add_bench_options(CLI::App& command, BenchOptions& options) {
  command.add_option("--seconds", options.seconds, "How long to send")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 86'400.0));
  command.add_option("--event-bytes", options.event_bytes, "Size of an event's JSON text")
      ->capture_default_str();
  command
      .add_option("--request-bytes", options.request_bytes,
                  "Size of a request's body at most; less than an event: one event per request")
      ->capture_default_str();
  command.add_option("--keys", options.keys, "Number of different keys")->capture_default_str();
  command.add_option("--zipf", options.zipf,
                     "Draw keys by Zipf's law with this exponent (0 to 1) instead of uniformly");
  command
      .add_option("--rate", options.rate,
                  "Events per second, sent on a fixed schedule whatever the server does; without "
                  "it as fast as possible")
      ->check(CLI::Range(1.0, 1e9));
  command
      .add_option("--connections", options.connections,
                  "Connections (default: 128, or 1024 for requests of less than 8 KiB, so that the "
                  "server has work while the disk syncs; fewer if their requests exceed 128 MiB)")
      ->check(CLI::Range(1, 10'000));
  command
      .add_option("--pipeline", options.pipeline,
                  "Requests that a connection sends back to back, before it waits for their "
                  "answers; with --rate they go out when the last of them is due")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  command.add_option("--partitions", options.partitions, "Partitions of the topic")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  command.add_option("--url", options.url,
                     "Measure the server at this URL, which has the topic `bench` and the "
                     "aggregate `bench_counts` (see docs/performance.md), instead of an own one");
  command.add_option("--directory", options.directory,
                     "Where to make the temporary data directory: the disk that is measured "
                     "(default: $TMPDIR or /var/tmp)");
  command.add_flag("--no-disk-probe", options.no_disk_probe,
                   "Do not measure what the disk does by itself (one second, before the own "
                   "server starts)");
  command.add_flag("--json", options.json, "One JSON object instead of text");
  command.add_flag("--keep", options.keep, "Leave the data directory");
}

std::size_t default_connections(const BenchOptions& options) {
  const std::uint64_t fitting = kDefaultBytesMax / connection_bytes(options);
  const std::size_t wanted =
      request_size(options) < kSmallRequestBytes ? kConnectionsSmall : kConnectionsLarge;
  return std::clamp<std::uint64_t>(fitting, 1, wanted);
}

Status check_memory(const BenchOptions& options) {
  const std::uint64_t bytes = connection_bytes(options) * options.connections;
  if (bytes > kRequestMemoryMax) {
    return Error(ErrorCode::kInvalid, "--connections times --pipeline requests are " +
                                          format_bytes(bytes) + "; at most " +
                                          format_bytes(kRequestMemoryMax));
  }
  return {};
}

}  // namespace penstock::bench
