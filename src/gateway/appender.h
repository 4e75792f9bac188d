// Appender sends one event loop's records to the log and answers requests when they are durable.
//
// Requests add their records to the open append. It goes off at the end of a turn of the loop if
// no other one is under way, when it is large enough, or after the linger time: so an idle log is
// asked at once, and a busy one gets larger appends.
//
// Invariants
//   I1  A request is answered once, when the append that it was added to is settled.
// Threads   belongs to its loop's thread; the log answers on its own and is handed over.
// Lifetime  the loop and everything given to the constructor outlive it. What the log answers after
//           it is destroyed goes nowhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/guarded.h"
#include "core/memory_budget.h"
#include "core/ref_counted.h"
#include "gateway/dedup_window.h"
#include "gateway/gateway.h"
#include "gateway/ingest_metrics.h"
#include "gateway/open_append.h"
#include "gateway/outcome.h"
#include "log/log.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "os/clock.h"

namespace penstock::gateway {

// A request whose events are counted and, if they are to be, in the open append.
struct CountedRequest {
  TopicMetrics& metrics;
  net::Responder responder;
  Outcome outcome;
  std::size_t body_size;
  os::TimePoint started_at;
  os::TimePoint parsed_at;
};

class Appender final : private net::TurnEndHook {
 public:
  Appender(log::Log& log, const os::Clock& clock, telemetry::Registry& metrics,
           const GatewayOptions& options, MemoryBudget& memory, net::EventLoop& loop);
  ~Appender() override;

  // Where the records of the next append go.
  [[nodiscard]] OpenAppend& records() { return records_; }

  // Takes memory for `size` more bytes in the open append; false if there is none.
  [[nodiscard]] bool reserve(std::size_t size);
  // Gives back what reserve() took last, as nothing was added after all.
  void unreserve(std::size_t size);

  // What the open append is called in that window; `window` is the inside of `shared`.
  [[nodiscard]] DedupWindow::AppendId append_id(SharedWindow& shared, DedupWindow& window);

  // Makes the open append an empty one: what it had goes off.
  void send_open();

  // Drops all records and claims of the open append. No request may depend on it.
  void discard_open();

  // The request depends on the open append.
  void add_request(CountedRequest request);

  // Answers 200 with the request's outcome, now.
  void answer(CountedRequest& request);

 private:
  struct Append {
    explicit Append(MemoryBudget& budget) : memory(budget) {}

    std::vector<CountedRequest> requests;
    std::vector<std::pair<SharedWindow*, DedupWindow::AppendId>> claims;
    MemoryBudget::Share memory;
    os::TimePoint opened_at;
    os::TimePoint sent_at;
  };

  // Where the log's answers go; outlives the Appender as long as the log owes one.
  struct Home : RefCounted {
    explicit Home(net::EventLoop* owner) : loop(owner) {}

    Guarded<net::EventLoop*> loop;  // null once the Appender is gone
  };

  void on_turn_end() override;
  [[nodiscard]] Append& open();
  void send();
  void settle(Append& append, Result<log::AppendResult> result);
  void settle_claims(Append& append, bool durable);
  void fail(Append& append, const Error& error);

  log::Log& log_;
  const os::Clock& clock_;
  const GatewayOptions& options_;
  MemoryBudget& memory_;
  net::EventLoop& loop_;
  const Ref<Home> home_;
  StageMetrics stages_;
  RequestMetrics requests_;
  OpenAppend records_;
  std::unique_ptr<Append> open_;
  std::vector<std::unique_ptr<Append>> under_way_;
  bool linger_timer_set_ = false;
  std::string answer_;  // scratch
};

}  // namespace penstock::gateway
