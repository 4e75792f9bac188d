// Gateway takes events in over HTTP and answers only when they are durable.
//
// POST /v1/topics/{topic}/events: the body is taken apart into events; good ones become records of
// the topic, bad ones dead letters of `<topic>.dlq`, known ids are left out. Everything that one
// request brings goes into one append, so it is durable as a whole or not at all; an event loop
// collects requests for a moment and appends them together. docs/adr/ says why.
//
//   auto gateway = Gateway::open(log, clock, metrics, logger, options);
//   HttpServer::open(..., [&](EventLoop& loop) {
//     auto router = std::make_unique<Router>();
//     gateway->add_routes(*router, loop);
//     return router;
//   });
//
// Invariants
//   I1  A 200 answer is sent only after everything it counts is durable.
//   I2  accepted + duplicates + dead_lettered of an answer is the number of events in its request.
//   I3  Bytes waiting to become durable never exceed `memory_bytes_max` by more than one append
//       per loop.
// Threads   open() from one; add_routes() once per event loop, on any thread before it runs;
//           run_once() and wait() from one, of its own: it waits for the log.
// Lifetime  log, clock, metrics and logger outlive the gateway, and it outlives the routers. Stop
//           the HTTP server and wait until it has stopped before destroying either.
// Errors    open(): what ensure_topic() and reading the log give, with the topic's name.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "log/log.h"
#include "net/event_loop.h"
#include "net/router.h"
#include "os/clock.h"
#include "schema/json_pointer.h"

namespace penstock::telemetry {
class Logger;
class Registry;
}  // namespace penstock::telemetry

namespace penstock::gateway {

// Which ids are remembered: the last `count_max`, for 40 to 56 bytes each (see dedup_window.h).
struct WindowOptions {
  std::size_t count_max = 1'000'000;
  std::chrono::seconds time_max{600};
};

// How the events of one topic are taken.
struct TopicOptions {
  log::TopicConfig log;
  std::optional<JsonPointer> key;
  bool key_required = true;  // with a key pointer: an event without one is a dead letter
  std::optional<JsonPointer> timestamp;
  std::optional<JsonPointer> id;
  WindowOptions dedup;
};

struct GatewayOptions {
  std::vector<TopicOptions> topics;
  // Topics that are not listed come into being when first written to, like this one but for the
  // name. Absent: they are answered 404.
  std::optional<TopicOptions> auto_create;
  std::size_t auto_created_max = 1000;
  std::vector<std::string> outputs;  // topics of jobs: they take no events from outside
  std::optional<std::chrono::milliseconds> dead_letter_retention = std::chrono::hours(30 * 24);
  std::uint32_t replays_max = 3;  // a dead letter that was replayed so often is in quarantine

  std::size_t event_bytes_max = 1 * kMiB;
  std::uint32_t depth_max = 128;
  // An event time further ahead of the clock is not believed (Kafka's
  // message.timestamp.after.max.ms): it would close all windows of its partition. Absent: every one
  // is.
  std::optional<std::chrono::milliseconds> timestamp_after_max = std::chrono::hours(1);
  std::size_t errors_max = 100;  // listed in an answer; all are counted
  // The largest append that the log takes, at least twice append_bytes_max. A request whose records
  // would be more is refused; mind that a dead letter takes some 400 bytes beside the event.
  std::size_t log_append_bytes_max = 32 * kMiB;

  // An append goes off when it has this many bytes, when the one before it is durable, or after
  // this time.
  std::size_t append_bytes_max = 1 * kMiB;
  Compression compression = Compression::kNone;  // of what is appended
  std::chrono::microseconds linger{1000};
  std::size_t memory_bytes_max = 128 * kMiB;

  WindowOptions idempotency{100'000, std::chrono::hours(24)};
};

class Gateway {
 public:
  // Makes sure that all topics exist and fills the windows of known ids from the log.
  [[nodiscard]] static Result<std::unique_ptr<Gateway>> open(log::Log& log, const os::Clock& clock,
                                                             telemetry::Registry& metrics,
                                                             telemetry::Logger& logger,
                                                             GatewayOptions options);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  void add_routes(net::Router& router, net::EventLoop& loop);

  // Makes the topics that were written to for the first time, reads dead letters back. False if
  // there was nothing to do; then wait() is due.
  [[nodiscard]] Result<bool> run_once();
  void wait(std::chrono::microseconds timeout);

 private:
  class Impl;
  explicit Gateway(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::gateway
