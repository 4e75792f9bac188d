// Streams is the processing side of a process: all jobs, their stream threads, and their queries.
//
// Each job is an application of its own, with its own consumer group and transactions, so that one
// can be added, removed or stuck without touching the others. A new job starts at the beginning of
// its topic.
//
//   PENSTOCK_TRY_ASSIGN(auto streams, Streams::open(log, clock, registry, logger, jobs, options));
//   for (StreamThread* thread : streams->threads()) { one os::Thread that runs
//     while (!stop) { if (!*thread->run_once()) thread->wait(100ms); } }
//   ...
//   streams->drain();   and when is_drained():   end the threads; thread->close()
//
// Threads   query(), stores(), drain() and is_drained() from any; each StreamThread from its own.
// Lifetime  everything given to open() outlives it; the threads that run its StreamThreads must
//           have ended before it goes.
// Errors    open(): kNotFound (a job's topic does not exist), kInvalid (a topic exists with other
//           settings, two stores of one name, a topology that cannot take over the state of the
//           version before it), and those of the log
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "engine/stream_thread.h"
#include "log/log.h"
#include "os/clock.h"
#include "store/query.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "topology/topology.h"

namespace penstock::engine {

struct Job {
  std::string name;  // its application id: consumer group "<name>"
  topology::Topology topology;
};

class Streams final : public store::QueryPort {
 public:
  struct Options {
    std::int32_t threads_per_job = 1;            // at most; a thread without a task is not made
    std::uint64_t state_bytes_max = 512 * kMiB;  // of all stores together
    // Of all caches of changes (Materialized::with_caching() of the DSL) together.
    std::uint64_t record_cache_bytes_max = topology::kRecordCacheBytesDefault;
    // Where stores in RocksDB have their folders, and what memory they share. Empty: there are
    // none.
    std::string state_directory;
    std::uint64_t rocks_bytes_max = 256 * kMiB;
    StreamThread::Options thread;  // application_id, index and rocks are filled in
  };

  [[nodiscard]] static Result<std::unique_ptr<Streams>> open(log::Log& log, const os::Clock& clock,
                                                             telemetry::Registry& registry,
                                                             telemetry::Logger& logger,
                                                             std::vector<Job> jobs,
                                                             const Options& options);
  ~Streams() override;

  [[nodiscard]] std::vector<StreamThread*> threads() const;

  // For a graceful stop, after the last input: nothing is kept back for later from now on.
  void drain();
  // After drain(): everything in the topics is processed and committed, and its output written.
  // Also false if a thread has failed: give up after a time.
  [[nodiscard]] bool is_drained() const;

  [[nodiscard]] std::vector<store::StoreDescription> stores() const override;
  void query(store::StoreQuery query, Done done) override;

 private:
  struct Application {
    Job job;
    std::vector<std::unique_ptr<StreamThread>> threads;
    std::vector<store::StoreDescription> stores;       // without figures
    std::set<std::string, std::less<>> global_tables;  // of the stores
    std::vector<TopicPartition> sources;
    std::optional<Announcement> announcement;  // of a topology that is not stored yet
    std::uint64_t task_count = 0;
  };

  Streams(const log::Log& log, const Options& options, std::uint64_t thread_count)
      : log_(log),
        is_shared_(!options.thread.instance.empty()),
        budget_(options.state_bytes_max, thread_count, options.record_cache_bytes_max) {}

  [[nodiscard]] Status open_state_directory(const Options& options, const os::Clock& clock,
                                            telemetry::Logger& logger);
  [[nodiscard]] Status add(log::Log& log, Job job);
  [[nodiscard]] Status add_store(Application& application, store::StoreDescription description);
  [[nodiscard]] bool is_drained(const Application& application) const;
  [[nodiscard]] static store::StoreDescription with_figures(const Application& application,
                                                            store::StoreDescription description);

  const log::Log& log_;
  const bool is_shared_;  // other processes run the same jobs
  StateBudget budget_;
  std::unique_ptr<store::RocksEnvironment> rocks_;
  std::vector<std::unique_ptr<Application>> applications_;
  std::map<std::string, Application*, std::less<>> application_of_store_;
};

}  // namespace penstock::engine
