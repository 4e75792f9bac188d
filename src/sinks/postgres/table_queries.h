// TableQueries is the HTTP side of the tables that PostgreSQL sinks fill:
//
//   GET /v1/tables/{sink}?column=value&limit=100&read-from=replica
//
// answers as TableReader does, for the sinks that may be asked (`read_from` in the configuration).
// Servers are asked on a thread of its own, so that event loops never wait; the queue is bounded.
//
//   apps:   a thread: while (!stop) { queries.run_once(); queries.wait(50ms); }
//
// Threads   add_routes() once per event loop, before it runs; run_once() and wait() from one;
//           interrupt() from any.
// Lifetime  log and clock outlive it, and it outlives the routers; loops do not run after their
//           routers are gone.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/counter.h"
#include "core/mailbox.h"
#include "core/result.h"
#include "core/unique_function.h"
#include "log/log.h"
#include "net/event_loop.h"
#include "net/router.h"
#include "os/clock.h"
#include "sinks/postgres/table_reader.h"

namespace penstock::sinks {

class TableQueries {
 public:
  TableQueries(const log::Log& log, const os::Clock& clock,
               std::vector<TableReader::Options> tables);

  void add_routes(net::Router& router, net::EventLoop& loop);

  // False if there was nothing to do.
  bool run_once();

  void wait(std::chrono::microseconds timeout) { jobs_.wait(timeout); }

  // Ends what waits for a server, soon.
  void interrupt() { interrupted_.raise(); }

 private:
  class Route;

  using Job = UniqueFunction<void()>;

  [[nodiscard]] TableReader* find(std::string_view sink);

  static constexpr std::size_t kWaitingMax = 256;

  Flag interrupted_;
  std::vector<std::unique_ptr<TableReader>> readers_;
  Mailbox<Job> jobs_{kWaitingMax};
};

}  // namespace penstock::sinks
