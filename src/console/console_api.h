// The read side of the HTTP interface: topics and their events, stores and what is in them, health,
// metrics. README.md of this room describes each answer.
//
//   HttpServer::open(..., [&](EventLoop& loop) {
//     auto router = std::make_unique<Router>();
//     console::add_routes(*router, loop, backends, {.version = "1.0"});
//     return router;
//   });
//
// What may take long runs on the Worker; queries run on the stream threads; the loops never wait.
// A query that has no answer within `query_time_max`, since the stream threads wait for a log that
// is away, is answered 503.
//
// Threads   add_routes() once per event loop, before it runs.
// Lifetime  the backends outlive the router; the loop does not run after the router is gone. Stop
//           the worker's thread and the engine before or after, in any order.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "console/health.h"
#include "console/worker.h"
#include "log/log.h"
#include "net/event_loop.h"
#include "net/router.h"
#include "store/query.h"
#include "telemetry/registry.h"

namespace penstock::console {

struct Backends {
  const log::Log& log;
  Worker& worker;
  store::QueryPort* queries;  // null: there are no stores in this process
  const telemetry::Registry& metrics;
  const Health& health;
};

struct ConsoleOptions {
  std::string version;                              // shown by GET /
  std::size_t waiting_max = 256;                    // requests of one loop that wait for an answer
  std::uint32_t events_max = 10'000;                // of one page
  std::chrono::milliseconds query_time_max{5'000};  // of a store
  bool ingest = true;                               // events can be sent to this process
  bool topics = true;                               // topics can be listed and read
  std::uint32_t dead_letter_replays_max = 3;        // where quarantine begins
  bool shared = false;  // other processes may own partitions of the stores, too
};

void add_routes(net::Router& router, net::EventLoop& loop, const Backends& backends,
                ConsoleOptions options);

}  // namespace penstock::console
