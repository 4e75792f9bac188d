// Runner brings events into a log and queries over them, on the caller's thread.
//
//   Runner runner(log, clock, [&] { return simulated_log.run_once() > 0; });
//   runner.make_topics();
//   runner.append(generator.event(n)); ... runner.flush();
//   runner.start({query}, options);
//   runner.run_until_processed();
//   runner.results(query)
//
// Threads   one.
// Lifetime  log and clock outlive it.
// Errors    those of the log and the engine
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "engine/streams.h"
#include "log/log.h"
#include "nexmark/events.h"
#include "nexmark/queries.h"
#include "os/clock.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"

namespace penstock::nexmark {

class Runner {
 public:
  struct Options {
    std::int32_t partition_count = 4;
    std::string instance;  // of this process among those that run the same queries
    // Lets the log do what waits, and time pass where it does not by itself.
    std::function<Status()> step;
    std::function<void(std::string_view)> write_log = [](std::string_view) {};
  };

  Runner(log::Log& log, const os::Clock& clock, Options options);
  ~Runner();

  // Topics of events, and of the results of all queries.
  [[nodiscard]] Status make_topics();

  // Fills the table of query 13.
  [[nodiscard]] Status append_pages();
  [[nodiscard]] Status append(const Event& event);
  // What was appended is durable.
  [[nodiscard]] Status flush();
  // How many events the topics hold.
  [[nodiscard]] Result<std::int64_t> event_count() const;

  [[nodiscard]] Status start(const std::vector<const Query*>& queries, const QueryOptions& options);
  // Everything that was appended has been processed, and what came of it committed.
  [[nodiscard]] Status run_until_processed();
  // The same, and nothing is kept back for later. Afterwards nothing more is processed.
  [[nodiscard]] Status drain();
  void stop();

  // Sorted.
  [[nodiscard]] Result<std::vector<std::string>> results(const Query& query) const;

 private:
  using Key = std::int64_t;

  struct Batch {
    std::vector<RecordBatchBuilder> partitions;
    TopicId topic;
  };

  [[nodiscard]] Status add(std::string_view topic, Key key, ByteView value, Timestamp timestamp);
  [[nodiscard]] Status send(TopicPartition to, RecordBatchBuilder& builder);
  [[nodiscard]] Result<bool> is_processed() const;
  [[nodiscard]] Status step_all();

  log::Log& log_;
  const os::Clock& clock_;
  const Options options_;
  telemetry::Registry registry_;
  telemetry::Logger logger_;
  std::map<std::string, Batch, std::less<>> batches_;
  std::vector<std::pair<std::string, std::vector<TopicPartition>>> sources_;  // of each job
  std::unique_ptr<engine::Streams> streams_;
};

}  // namespace penstock::nexmark
