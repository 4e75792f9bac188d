#include "nexmark/runner.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "dsl/fields.h"
#include "log/read_partition.h"
#include "record/partitioner.h"
#include "record/record_batch.h"

namespace penstock::nexmark {

namespace {

constexpr std::size_t kBatchBytes = 64 * 1024;
constexpr int kStepsBetweenQuestions = 4;

}  // namespace

Runner::Runner(log::Log& log, const os::Clock& clock, Options options)
    : log_(log),
      clock_(clock),
      options_(std::move(options)),
      logger_(clock, {.write = options_.write_log}) {}

Runner::~Runner() {
  stop();
}

Status Runner::make_topics() {
  std::vector<std::string> names = {std::string(kPeopleTopic), std::string(kAuctionsTopic),
                                    std::string(kBidsTopic), std::string(kPagesTopic)};
  for (const Query& query : queries()) {
    names.emplace_back(query.name);
  }
  for (const std::string& name : names) {
    log::TopicConfig topic;
    topic.name = name;
    topic.partition_count = options_.partition_count;
    PENSTOCK_TRY_ASSIGN(const log::TopicInfo made, log_.ensure_topic(topic));
    Batch& batch = batches_[name];
    batch.topic = made.id;
    batch.partitions.resize(static_cast<std::size_t>(options_.partition_count));
  }
  return {};
}

Status Runner::append_pages() {
  for (std::int64_t number = 0; number < kPageCount; ++number) {
    const std::string page = "page " + std::to_string(number);
    PENSTOCK_TRY(add(kPagesTopic, number, as_bytes(page), Timestamp(0)));
  }
  return flush();
}

Status Runner::append(const Event& event) {
  Bytes value;
  std::visit(
      [&](const auto& kind) { dsl::Serde<std::decay_t<decltype(kind)>>::encode(kind, value); },
      event);
  const Timestamp timestamp(time_of(event));
  if (const auto* person = std::get_if<Person>(&event)) {
    return add(kPeopleTopic, person->id, ByteView(value), timestamp);
  }
  if (const auto* auction = std::get_if<Auction>(&event)) {
    return add(kAuctionsTopic, auction->id, ByteView(value), timestamp);
  }
  return add(kBidsTopic, std::get<Bid>(event).auction, ByteView(value), timestamp);
}

Status Runner::add(std::string_view topic, Key key, ByteView value, Timestamp timestamp) {
  Bytes key_bytes;
  dsl::Serde<Key>::encode(key, key_bytes);
  Batch& batch = batches_.find(topic)->second;
  const PartitionId partition = partition_for_key(ByteView(key_bytes), options_.partition_count);
  RecordBatchBuilder& builder = batch.partitions[static_cast<std::size_t>(partition.value())];
  builder.append(timestamp, ByteView(key_bytes), value);
  return builder.size_bytes() < kBatchBytes ? Status() : send({batch.topic, partition}, builder);
}

Status Runner::send(TopicPartition to, RecordBatchBuilder& builder) {
  std::vector<log::PartitionBatch> batches;
  batches.push_back({to, builder.finish()});
  std::optional<Status> outcome;
  PENSTOCK_TRY(log_.append(std::move(batches), [&outcome](Result<log::AppendResult> done) {
    outcome = done ? Status() : Status(done.error());
  }));
  while (!outcome.has_value()) {
    PENSTOCK_TRY(options_.step());
  }
  return *outcome;
}

Status Runner::flush() {
  for (auto& [name, batch] : batches_) {
    for (std::size_t number = 0; number < batch.partitions.size(); ++number) {
      if (!batch.partitions[number].empty()) {
        const PartitionId partition(static_cast<std::int32_t>(number));
        PENSTOCK_TRY(send({batch.topic, partition}, batch.partitions[number]));
      }
    }
  }
  return {};
}

Result<std::int64_t> Runner::event_count() const {
  std::int64_t count = 0;
  for (const std::string_view name : {kPeopleTopic, kAuctionsTopic, kBidsTopic}) {
    const TopicId topic = batches_.find(name)->second.topic;
    for (std::int32_t number = 0; number < options_.partition_count; ++number) {
      PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets,
                          log_.offsets({topic, PartitionId(number)}));
      count += offsets.end.value();
    }
  }
  return count;
}

Status Runner::start(const std::vector<const Query*>& queries, const QueryOptions& options) {
  std::vector<engine::Job> jobs;
  for (const Query* query : queries) {
    PENSTOCK_TRY_ASSIGN(topology::Topology topology, query->make(options));
    jobs.push_back({"nexmark-" + std::string(query->name), std::move(topology)});
  }
  std::vector<std::pair<std::string, std::vector<std::string>>> topics;
  for (const engine::Job& job : jobs) {
    auto& of_job = topics.emplace_back(job.name, std::vector<std::string>());
    for (const topology::SubTopology& sub : job.topology.sub_topologies()) {
      for (const topology::SourceNode& source : sub.sources) {
        std::ranges::copy(source.topics, std::back_inserter(of_job.second));
      }
    }
  }
  engine::Streams::Options streams;
  streams.state_bytes_max = 8 * kGiB;
  streams.thread.hash_seed = 7;
  streams.thread.instance = options_.instance;
  PENSTOCK_TRY_ASSIGN(
      streams_, engine::Streams::open(log_, clock_, registry_, logger_, std::move(jobs), streams));
  for (const auto& [job, names] : topics) {
    auto& of_job = sources_.emplace_back(job, std::vector<TopicPartition>());
    for (const std::string& name : names) {
      PENSTOCK_TRY_ASSIGN(const log::TopicInfo topic, log_.topic(name));
      for (std::int32_t number = 0; number < topic.config.partition_count; ++number) {
        of_job.second.push_back({topic.id, PartitionId(number)});
      }
    }
  }
  return {};
}

Status Runner::step_all() {
  for (engine::StreamThread* thread : streams_->threads()) {
    const Result<bool> worked = thread->run_once();
    if (!worked) {
      return worked.error();
    }
  }
  return options_.step();
}

// A record that is committed in one topic is in the next, so the first that is behind tells.
Result<bool> Runner::is_processed() const {
  for (const auto& [job, partitions] : sources_) {
    PENSTOCK_TRY_ASSIGN(const std::vector<log::OffsetCommit> committed, log_.committed(job));
    for (const TopicPartition partition : partitions) {
      PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log_.offsets(partition));
      const auto at = std::ranges::find(committed, partition, &log::OffsetCommit::partition);
      const Offset next = at == committed.end() ? Offset(0) : at->next_offset;
      if (next < offsets.end) {
        return false;
      }
    }
  }
  return true;
}

Status Runner::run_until_processed() {
  while (true) {
    for (int count = 0; count < kStepsBetweenQuestions; ++count) {
      PENSTOCK_TRY(step_all());
    }
    PENSTOCK_TRY_ASSIGN(const bool done, is_processed());
    if (done) {
      return {};
    }
  }
}

Status Runner::drain() {
  streams_->drain();
  while (!streams_->is_drained()) {
    PENSTOCK_TRY(step_all());
  }
  return {};
}

void Runner::stop() {
  if (streams_ == nullptr) {
    return;
  }
  for (engine::StreamThread* thread : streams_->threads()) {
    thread->close();
  }
  streams_.reset();
  sources_.clear();
}

Result<std::vector<std::string>> Runner::results(const Query& query) const {
  std::vector<std::string> rows;
  std::map<std::string, std::string> latest;
  const auto take = [&](const RecordView& record) -> Status {
    const std::optional<std::string> row =
        record.value.has_value() ? query.to_text(*record.value) : std::nullopt;
    if (record.value.has_value() && !row.has_value()) {
      return Error(ErrorCode::kCorrupt, std::string(query.name) + ": a result cannot be read");
    }
    if (query.output == Query::Output::kAppends) {
      rows.push_back(row.value_or("null"));
    } else if (row.has_value()) {
      latest.insert_or_assign(std::string(as_text(*record.key)), *row);
    } else {
      latest.erase(std::string(as_text(*record.key)));
    }
    return {};
  };
  const TopicId topic = batches_.find(query.name)->second.topic;
  for (std::int32_t number = 0; number < options_.partition_count; ++number) {
    PENSTOCK_TRY(log::read_partition(log_, {topic, PartitionId(number)}, "results", take));
  }
  for (auto& [key, row] : latest) {
    rows.push_back(std::move(row));
  }
  std::ranges::sort(rows);
  return rows;
}

}  // namespace penstock::nexmark
