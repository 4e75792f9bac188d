#include "engine/streams.h"

#include <algorithm>
#include <utility>

#include "engine/query_gather.h"
#include "engine/topics.h"

namespace penstock::engine {

Streams::~Streams() = default;

Result<std::unique_ptr<Streams>> Streams::open(log::Log& log, const os::Clock& clock,
                                               telemetry::Registry& registry,
                                               telemetry::Logger& logger, std::vector<Job> jobs,
                                               const Options& options) {
  const std::uint64_t thread_count =
      std::max<std::uint64_t>(1, jobs.size() * static_cast<std::uint64_t>(options.threads_per_job));
  std::unique_ptr<Streams> streams(new Streams(log, options, thread_count));
  PENSTOCK_TRY(streams->open_state_directory(options, clock, logger));
  for (Job& job : jobs) {
    const std::string name = job.name;
    const Status added = streams->add(log, std::move(job));
    if (!added) {
      return added.error().with("job \"" + name + "\"");
    }
  }
  for (const auto& application : streams->applications_) {
    const std::int32_t count =
        std::min(options.threads_per_job, static_cast<std::int32_t>(application->task_count));
    for (std::int32_t index = 0; index < count; ++index) {
      StreamThread::Options thread = options.thread;
      thread.application_id = application->job.name;
      thread.index = index;
      thread.rocks = streams->rocks_.get();
      thread.announcement = application->announcement;
      PENSTOCK_TRY_ASSIGN(
          auto opened, StreamThread::open(log, clock, registry, logger, application->job.topology,
                                          streams->budget_, thread));
      application->threads.push_back(std::move(opened));
    }
  }
  return streams;
}

Status Streams::open_state_directory(const Options& options, const os::Clock& clock,
                                     telemetry::Logger& logger) {
  if (options.state_directory.empty()) {
    return {};
  }
  rocks_ = std::make_unique<store::RocksEnvironment>(
      store::RocksEnvironment::Options{.directory = options.state_directory,
                                       .memory_bytes_max = options.rocks_bytes_max},
      clock, logger);
  return rocks_->prepare();
}

Status Streams::add(log::Log& log, Job job) {
  const topology::TopologyDescription version = describe_on(log, job.topology, job.name);
  PENSTOCK_TRY_ASSIGN(const auto stored, stored_topology(log, job.name));
  if (stored.has_value()) {
    PENSTOCK_TRY(check_takeover(*stored, version));
  }
  PENSTOCK_TRY_ASSIGN(const TopicHandles topics, prepare_topics(log, job.topology));
  auto application = std::make_unique<Application>();
  PENSTOCK_TRY_ASSIGN(application->announcement, announcement_of(log, version, stored));
  application->job = std::move(job);
  for (const topology::SubTopology& sub : application->job.topology.sub_topologies()) {
    const std::string& first = sub.sources.front().topics.front();
    application->task_count +=
        static_cast<std::uint64_t>(topics.find(first)->second.partition_count);
    for (const topology::StoreNode& node : sub.stores) {
      const std::unique_ptr<store::StateStore> store = node.factory({});
      if (store->is_on_disk() && rocks_ == nullptr) {
        return Error(ErrorCode::kInvalid, "store \"" + node.name +
                                              "\" is kept in RocksDB, and there is no "
                                              "state_directory to keep it in");
      }
      store::StoreDescription description = store->describe();
      description.partition_count = topics.find(node.changelog_topic)->second.partition_count;
      PENSTOCK_TRY(add_store(*application, std::move(description)));
    }
  }
  for (const topology::GlobalTable& table : application->job.topology.global_tables()) {
    store::StoreDescription description = table.store({})->describe();
    description.partition_count = 1;  // each thread has it whole
    PENSTOCK_TRY(add_store(*application, std::move(description)));
    application->global_tables.insert(table.name);
  }
  for (const std::string& topic : application->job.topology.source_topics()) {
    const TopicHandle& handle = topics.find(topic)->second;
    for (std::int32_t number = 0; number < handle.partition_count; ++number) {
      application->sources.push_back({handle.id, PartitionId(number)});
    }
  }
  applications_.push_back(std::move(application));
  return {};
}

Status Streams::add_store(Application& application, store::StoreDescription description) {
  if (!application_of_store_.emplace(description.name, &application).second) {
    return Error(ErrorCode::kInvalid,
                 "there is another store named \"" + description.name + "\"; names must differ");
  }
  application.stores.push_back(std::move(description));
  return {};
}

bool Streams::is_drained() const {
  return std::ranges::all_of(applications_,
                             [this](const auto& application) { return is_drained(*application); });
}

// The threads' word is that of their last step; records may have come since, from each other too.
// The log tells of those, and is asked last.
bool Streams::is_drained(const Application& application) const {
  std::uint64_t task_count = 0;
  for (const auto& thread : application.threads) {
    if (!thread->is_idle()) {
      return false;
    }
    task_count += thread->running_task_count();
  }
  const auto committed = log_.committed(application.job.name);
  if (task_count != application.task_count || !committed) {
    return false;
  }
  const auto bounds = log_.bounds(application.sources);
  return bounds && std::ranges::all_of(*bounds, [&](const log::PartitionBounds& at) {
           const auto commit =
               std::ranges::find(*committed, at.partition, &log::OffsetCommit::partition);
           return commit != committed->end() ? commit->next_offset >= at.written_end
                                             : at.start == at.written_end;
         });
}

std::vector<StreamThread*> Streams::threads() const {
  std::vector<StreamThread*> threads;
  for (const auto& application : applications_) {
    for (const auto& thread : application->threads) {
      threads.push_back(thread.get());
    }
  }
  return threads;
}

void Streams::drain() {
  for (StreamThread* thread : threads()) {
    thread->drain();
  }
}

store::StoreDescription Streams::with_figures(const Application& application,
                                              store::StoreDescription description) {
  for (const auto& thread : application.threads) {
    for (const store::StoreDescription& part : thread->stores()) {
      if (part.name == description.name) {
        description.entry_count += part.entry_count;
        description.size_bytes += part.size_bytes;
        description.partitions_owned += part.partitions_owned;
        description.partitions_ready += part.partitions_ready;
      }
    }
  }
  return description;
}

std::vector<store::StoreDescription> Streams::stores() const {
  std::vector<store::StoreDescription> all;
  for (const auto& [name, application] : application_of_store_) {
    const auto found = std::ranges::find_if(
        application->stores, [&](const auto& description) { return description.name == name; });
    all.push_back(with_figures(*application, *found));
  }
  return all;
}

void Streams::query(store::StoreQuery query, Done done) {
  const auto found = application_of_store_.find(query.store);
  if (found == application_of_store_.end()) {
    done(Error(ErrorCode::kNotFound, "there is no store \"" + query.store + "\""));
    return;
  }
  const Application& application = *found->second;
  const auto description = std::ranges::find_if(
      application.stores, [&](const auto& store) { return store.name == query.store; });
  // The first thread can answer for a global table: each has it whole.
  const bool is_global = application.global_tables.contains(query.store);
  const QueryScope scope{is_global ? 1 : application.threads.size(), is_shared_ && !is_global};
  auto gather = QueryGather::make(query, *description, scope, done);
  if (!gather) {
    done(gather.error());
    return;
  }
  for (const auto& thread : application.threads) {
    thread->query(QueryShare(*gather));
    if (is_global) {
      return;
    }
  }
}

}  // namespace penstock::engine
