// TopicMaker makes topics that are written to for the first time, one after the other.
//
// Making one takes questions to the log, which may be on the other side of a network and slow to
// answer: event loops must not wait for that. They leave the name here, put the request aside, and
// take it again when they are told.
//
// Invariants
//   I1  `done` of a name that was taken runs exactly once, inside run_once().
//
// Threads   make() from any; run_once() and wait() from one.
// Lifetime  the catalog outlives it. What still waits when it is destroyed is never answered.
// Errors    of make()    kBusy      too many wait
//           of `done`    as TopicCatalog
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/mailbox.h"
#include "core/result.h"
#include "core/unique_function.h"
#include "gateway/topic_catalog.h"

namespace penstock::gateway {

class TopicMaker {
 public:
  using Done = UniqueFunction<void(Status)>;

  explicit TopicMaker(TopicCatalog& topics) : topics_(topics) {}

  [[nodiscard]] Status make(std::string_view name, Done done);

  // False if there was nothing to do.
  bool run_once();

  void wait(std::chrono::microseconds timeout) { wanted_.wait(timeout); }

 private:
  static constexpr std::size_t kWantedMax = 1024;

  struct Wanted {
    std::string name;
    Done done;
  };

  TopicCatalog& topics_;
  Mailbox<Wanted> wanted_{kWantedMax};
};

}  // namespace penstock::gateway
