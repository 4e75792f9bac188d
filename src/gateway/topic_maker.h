// TopicMaker makes topics that are written to for the first time, one after the other.
//
// Making one takes questions to the log. Event loops leave the name here, put the request aside,
// and take it again when they are told.
//
// Threads   make() from any.
// Lifetime  catalog and work outlive it.
// Errors    of make()    as SlowWork
//           of `done`    as TopicCatalog
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"
#include "core/unique_function.h"
#include "gateway/slow_work.h"
#include "gateway/topic_catalog.h"

namespace penstock::gateway {

class TopicMaker {
 public:
  using Done = UniqueFunction<void(Status)>;

  TopicMaker(TopicCatalog& topics, SlowWork& work) : topics_(topics), work_(work) {}

  // If it is taken, `done` runs exactly once, as SlowWork does its jobs.
  [[nodiscard]] Status make(std::string_view name, Done done) {
    return work_.submit([this, topic = std::string(name), done = std::move(done)]() mutable {
      done(topics_.make_new(topic));
    });
  }

 private:
  TopicCatalog& topics_;
  SlowWork& work_;
};

}  // namespace penstock::gateway
