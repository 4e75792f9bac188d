#include "sinks/archive/archive_sink.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <utility>

#include "core/check.h"
#include "record/internal_headers.h"

namespace penstock::sinks {
namespace {

constexpr std::size_t kPollSize = 4 * kMiB;
// A row group is held compressed, beside pages being filled, their copies while they grow, and the
// log's batches: memory_max is for all of these.
constexpr std::uint64_t kGroupsInMemory = 4;
// A round that gets nothing more for this long ends with what it has.
constexpr std::chrono::seconds kPatience{1};

// What is shown for records without the gateway's header: the event's own time.
std::int64_t microseconds_of(Timestamp timestamp) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / 1000;
  return std::clamp(timestamp.value(), -kMax, kMax) * 1000;
}

// A failure of the store, as the circuit breaker sees it.
CircuitBreaker::Outcome outcome_of(const Status& done) {
  const bool failed = !done.has_value() && done.error().code() != ErrorCode::kAbortTxn;
  return failed ? CircuitBreaker::Outcome::kError : CircuitBreaker::Outcome::kSuccess;
}

double seconds(os::TimePoint::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

struct ArchiveSink::Topic {
  Topic(std::string of, const std::string& store, telemetry::Registry& registry)
      : name(std::move(of)),
        labels({{"topic", name}, {"store", store}}),
        rows(registry.counter("penstock_archive_rows_total", "Records archived.", labels)),
        bytes(registry.counter("penstock_archive_bytes_total",
                               "Size of the archive files published.", labels)),
        files(registry.counter("penstock_archive_files_total", "Archive files published.", labels)),
        missing(registry.counter("penstock_archive_missing_records_total",
                                 "Offsets that were gone from the log before they were archived.",
                                 labels)),
        errors(registry.counter("penstock_archive_errors_total",
                                "Failed attempts to write an archive file.", labels)),
        lag_records(registry.gauge("penstock_archive_lag_records",
                                   "Records in the log that are not archived yet.", labels)),
        lag_seconds(registry.gauge("penstock_archive_lag_seconds",
                                   "How long the oldest of them has been waiting.", labels)),
        imbalance(registry.gauge(
            "penstock_pipeline_imbalance_records",
            "Records by which two independent counts differ: 0, or something is lost or doubled.",
            {{"topic", name}, {"stage", store == "local" ? "archived" : "archived_" + store}})) {}

  std::string name;
  telemetry::Labels labels;
  Counter& rows;
  Counter& bytes;
  Counter& files;
  Counter& missing;
  Counter& errors;
  telemetry::Gauge& lag_records;
  telemetry::Gauge& lag_seconds;
  telemetry::Gauge& imbalance;
};

struct ArchiveSink::Partition {
  Topic* topic;
  TopicPartition id;
  Offset next;  // everything before it is published
  Offset end;   // of the log, when last asked
  std::optional<os::TimePoint> waiting_since = {};
  std::optional<os::TimePoint> retry_at = {};
  Offset finish_at = {};  // while finishing: where it is done
  bool is_looked_up = false;
  std::optional<ArchiveClaim> claim = {};  // of the file that begins at `next`
};

// One partition being written: from its next offset to `target`.
struct ArchiveSink::Round {
  Partition& partition;
  Offset target;
  os::TimePoint began_at;
  os::TimePoint progressed_at;
  Offset next;  // of what is in `file`, or published
  std::optional<std::int64_t> ingest_us = {};
  std::unique_ptr<ArchiveFile> file = {};
};

ArchiveSink::ArchiveSink(const Surroundings& surroundings, std::unique_ptr<ArchiveStore> store,
                         Options options)
    : log_(surroundings.log),
      files_(surroundings.files),
      registry_(surroundings.registry),
      logger_(surroundings.logger),
      store_(std::move(store)),
      memory_(registry_.gauge("penstock_archive_memory_bytes",
                              "Keys, values and headers in the row group being written.",
                              {{"store", store_->kind()}})),
      breaker_state_(registry_.gauge("penstock_archive_breaker_state",
                                     "The archive's circuit breaker: 0 closed, 1 open, 2 "
                                     "half-open.",
                                     {{"store", store_->kind()}})),
      options_(std::move(options)),
      breaker_(options_.breaker) {}

ArchiveSink::~ArchiveSink() = default;

Result<std::unique_ptr<ArchiveSink>> ArchiveSink::open(const Surroundings& surroundings,
                                                       std::unique_ptr<ArchiveStore> store,
                                                       Options options, os::TimePoint now) {
  std::unique_ptr<ArchiveSink> sink(
      new ArchiveSink(surroundings, std::move(store), std::move(options)));
  PENSTOCK_TRY(sink->store_->open());
  PENSTOCK_TRY_ASSIGN(
      sink->consumer_,
      surroundings.log.open_consumer(
          {.name = "archive", .group_id = std::nullopt, .topics = {}, .instance_id = {}}));
  const Status discovered = sink->discover(now);
  if (!discovered && !sink->store_->is_remote()) {
    return discovered.error();
  }
  if (!discovered) {  // others go on; this one is tried again
    surroundings.logger.warn("archive", discovered.error().message());
  }
  return sink;
}

Status ArchiveSink::discover(os::TimePoint now) {
  Status discovered;
  for (const log::TopicInfo& info : log_.topics()) {
    const bool known = std::any_of(topics_.begin(), topics_.end(), [&](const auto& topic) {
      return topic->name == info.config.name;
    });
    if (!known && options_.takes(info)) {
      permission_ = breaker_.try_acquire(now);
      if (!permission_.has_value()) {
        return discovered;
      }
      const Status added = add_topic(info);
      end_call(outcome_of(added), now);
      discovered = discovered.has_value() ? added : discovered;
    }
  }
  return discovered;
}

Status ArchiveSink::add_topic(const log::TopicInfo& info) {
  const std::string& name = info.config.name;
  PENSTOCK_TRY_ASSIGN(const auto archived, store_->scan(name));
  auto added = std::make_unique<Topic>(name, store_->kind(), registry_);
  std::vector<std::unique_ptr<Partition>> partitions;
  for (std::int32_t number = 0; number < info.config.partition_count; ++number) {
    const PartitionId id(number);
    const auto found = archived.find(id);
    partitions.push_back(std::make_unique<Partition>(
        Partition{.topic = added.get(), .id = {info.id, id}, .next = {}, .end = {}}));
    PENSTOCK_TRY(start_partition(
        *partitions.back(), found == archived.end() ? std::nullopt : std::optional(found->second)));
  }
  topics_.push_back(std::move(added));
  std::move(partitions.begin(), partitions.end(), std::back_inserter(partitions_));
  return {};
}

Status ArchiveSink::start_partition(Partition& partition,
                                    const std::optional<ArchivedPartition>& archived) {
  PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log_.offsets(partition.id));
  partition.end = offsets.end;
  if (!archived.has_value()) {
    return {};
  }
  partition.next = archived->range.last + 1;
  if (partition.next > offsets.end) {
    return Error(ErrorCode::kInvalid, "the archive of topic " + partition.topic->name +
                                          ", partition " + to_string(partition.id.partition) +
                                          " goes up to offset " + to_string(archived->range.last) +
                                          ", but the log ends before " + to_string(offsets.end) +
                                          ": it belongs to another log; move it away");
  }
  return {};
}

Offset ArchiveSink::next_offset(const std::string& topic, PartitionId partition) const {
  for (const auto& known : partitions_) {
    if (known->topic->name == topic && known->id.partition == partition) {
      return known->next;
    }
  }
  return Offset(0);
}

Result<std::uint64_t> ArchiveSink::run_once(os::TimePoint now) {
  if (doubt_.has_value()) {
    return *doubt_;
  }
  if (round_ == nullptr) {
    if (!surveyed_at_.has_value() || now - *surveyed_at_ >= options_.survey_interval ||
        finishing_) {
      PENSTOCK_TRY(survey(now));
    }
    Partition* const due = next_due(now);
    if (due != nullptr) {
      permission_ = breaker_.try_acquire(now);
    }
    if (due == nullptr || !permission_.has_value()) {
      return 0;
    }
    if (const Status begun = begin_round(*due, now); !begun.has_value()) {
      return put_off(*due, begun.error(), now);
    }
  }
  Partition& partition = round_->partition;
  Result<std::uint64_t> taken = step(now);
  if (!taken.has_value()) {
    round_.reset();
    return put_off(partition, taken.error(), now);
  }
  const bool writing = round_ != nullptr && round_->file != nullptr;
  memory_.set(writing ? static_cast<double>(round_->file->writer().buffered_size()) : 0);
  return taken;
}

Result<std::uint64_t> ArchiveSink::put_off(Partition& partition, const Error& error,
                                           os::TimePoint now) {
  const Error told = error.with("archive of topic " + partition.topic->name + ", partition " +
                                to_string(partition.id.partition));
  end_call(outcome_of(error), now);
  partition.is_looked_up = false;
  if (error.code() == ErrorCode::kAbortTxn) {  // it goes on at once, from what is there
    logger_.warn("archive", told.message());
    return 1;
  }
  partition.topic->errors.add(1);
  partition.retry_at = now + options_.retry_interval;
  return told;
}

void ArchiveSink::end_call(CircuitBreaker::Outcome outcome, os::TimePoint now) {
  if (permission_.has_value()) {
    breaker_.finish(*permission_, outcome, os::TimePoint::duration(0), now);
    permission_.reset();
  }
  breaker_state_.set(breaker_.state() == CircuitBreaker::State::kClosed ? 0
                     : breaker_.state() == CircuitBreaker::State::kOpen ? 1
                                                                        : 2);
}

// One question for all; where a topic is no longer there, one for each.
Status ArchiveSink::find_ends() {
  std::vector<TopicPartition> asked;
  std::ranges::transform(partitions_, std::back_inserter(asked),
                         [](const auto& partition) { return partition->id; });
  const auto bounds = log_.bounds(asked);
  if (!bounds.has_value() && bounds.error().code() != ErrorCode::kNotFound) {
    return bounds.error();
  }
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    if (bounds.has_value()) {
      partitions_[i]->end = (*bounds)[i].end;
      continue;
    }
    PENSTOCK_TRY_ASSIGN(partitions_[i]->end, log_end(*partitions_[i]));
  }
  return {};
}

Result<Offset> ArchiveSink::log_end(const Partition& partition) const {
  const Result<log::PartitionOffsets> offsets = log_.offsets(partition.id);
  if (!offsets.has_value() && offsets.error().code() == ErrorCode::kNotFound) {
    return partition.next;
  }
  PENSTOCK_TRY(offsets);
  return offsets->end;
}

Status ArchiveSink::survey(os::TimePoint now) {
  if (!discovered_at_.has_value() || now - *discovered_at_ >= options_.discover_interval) {
    discovered_at_ = now;
    PENSTOCK_TRY(discover(now));
  }
  surveyed_at_ = now;
  PENSTOCK_TRY(find_ends());
  for (const auto& partition : partitions_) {
    if (partition->next >= partition->end) {
      partition->waiting_since.reset();
    } else if (!partition->waiting_since.has_value()) {
      partition->waiting_since = now;
    }
  }
  update_lag(now);
  return {};
}

void ArchiveSink::update_lag(os::TimePoint now) {
  for (const auto& topic : topics_) {
    std::int64_t records = 0;
    os::TimePoint oldest = now;
    for (const auto& partition : partitions_) {
      if (partition->topic == topic.get() && partition->waiting_since.has_value()) {
        records += partition->end - partition->next;
        oldest = std::min(oldest, *partition->waiting_since);
      }
    }
    topic->lag_records.set(static_cast<double>(records));
    topic->lag_seconds.set(seconds(now - oldest));
  }
}

bool ArchiveSink::is_due(const Partition& partition, os::TimePoint now) const {
  if (!partition.waiting_since.has_value() ||
      (partition.retry_at.has_value() && now < *partition.retry_at)) {
    return false;
  }
  if (finishing_) {
    return partition.next < partition.finish_at;
  }
  return now - *partition.waiting_since >= options_.roll_interval ||
         static_cast<std::uint64_t>(partition.end - partition.next) >= options_.file_rows_max;
}

ArchiveSink::Partition* ArchiveSink::next_due(os::TimePoint now) {
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    Partition& partition = *partitions_[(turn_ + i) % partitions_.size()];
    if (is_due(partition, now)) {
      turn_ = (turn_ + i + 1) % partitions_.size();
      return &partition;
    }
  }
  return nullptr;
}

Status ArchiveSink::begin_round(Partition& partition, os::TimePoint now) {
  PENSTOCK_TRY(look_up(partition));
  PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log_.offsets(partition.id));
  if (offsets.start > partition.next && !partition.claim.has_value()) {
    PENSTOCK_TRY(skip_missing(partition, offsets.start));
  }
  const Offset first = std::max(partition.next, offsets.start);
  partition.end = offsets.end;
  Offset target = offsets.end;
  if (partition.claim.has_value()) {  // it becomes a file also if some of its records are gone
    target = partition.claim->range.last + 1;
    if (first > partition.next) {
      report_missing(partition, {partition.next, first + -1});
    }
    if (target > offsets.end) {
      return Error(ErrorCode::kInvalid, "a file was begun that goes up to offset " +
                                            to_string(partition.claim->range.last) +
                                            ", but the log ends before " + to_string(offsets.end) +
                                            ": the archive belongs to another log; move it away");
    }
  }
  PENSTOCK_TRY(consumer_->assign({{partition.id, first}}));
  round_ = std::make_unique<Round>(Round{.partition = partition,
                                         .target = target,
                                         .began_at = now,
                                         .progressed_at = now,
                                         .next = first});
  return {};
}

Status ArchiveSink::look_up(Partition& partition) {
  if (partition.is_looked_up) {
    return {};
  }
  PENSTOCK_TRY_ASSIGN(
      const ArchiveEnd end,
      store_->look_up(partition.topic->name, partition.id.partition, partition.next));
  partition.next = end.next;
  partition.claim = end.claim;
  partition.is_looked_up = true;
  return {};
}

// Retention was faster than the archive, or damage was accepted. The log cannot give these records
// any more: that is noted in the archive, so that it is never mistaken for a lost file, counted and
// said.
Status ArchiveSink::skip_missing(Partition& partition, Offset start) {
  const std::string& topic = partition.topic->name;
  const OffsetRange range{partition.next, start + -1};
  PENSTOCK_TRY(store_->mark_missing(topic, partition.id.partition, range));
  report_missing(partition, range);
  partition.next = start;
  return {};
}

void ArchiveSink::report_missing(const Partition& partition, OffsetRange range) {
  const std::int64_t count = range.last - range.first + 1;
  partition.topic->missing.add(static_cast<std::uint64_t>(count));
  logger_.error("archive",
                "records were gone from the log before they were archived: deleted by retention, "
                "or damaged and their loss accepted",
                {{"topic", partition.topic->name},
                 {"partition", partition.id.partition.value()},
                 {"first", range.first.value()},
                 {"last", range.last.value()},
                 {"count", count}});
}

Result<std::uint64_t> ArchiveSink::step(os::TimePoint now) {
  Round& round = *round_;
  const Offset before = round.next;
  if (round.next < round.target) {
    PENSTOCK_TRY_ASSIGN(const log::Consumer::Polled polled, consumer_->poll(kPollSize));
    for (const log::FetchedBatch& fetched : polled.batches) {
      PENSTOCK_TRY(take_batch(fetched));
    }
  }
  const auto taken = static_cast<std::uint64_t>(round.next - before);
  if (taken > 0) {
    round.progressed_at = now;
  }
  const bool is_whole = round.next >= round.target;
  if (!is_whole && now - round.progressed_at >= kPatience && round.partition.claim.has_value()) {
    return Error(ErrorCode::kRetry, "the log does not give what was begun to be archived");
  }
  if (is_whole) {
    PENSTOCK_TRY(end_claim_before(round.next));
  }
  if (is_whole || now - round.progressed_at >= kPatience) {
    PENSTOCK_TRY(publish_up_to(round.next));
    end_round();
  }
  return taken;
}

void ArchiveSink::end_round() {
  Partition& partition = round_->partition;
  end_call(CircuitBreaker::Outcome::kSuccess, round_->progressed_at);
  partition.retry_at.reset();
  // What came meanwhile has been waiting at most since this round began.
  partition.waiting_since = round_->began_at;
  round_.reset();
  surveyed_at_.reset();
}

Status ArchiveSink::take_batch(const log::FetchedBatch& fetched) {
  Round& round = *round_;
  PENSTOCK_TRY_ASSIGN(const RecordBatchView batch,
                      RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kChecksum));
  if (fetched.from != round.partition.id || batch.last_offset() < round.next) {
    return {};
  }
  const bool is_claimed = round.partition.claim.has_value();
  if (fetched.is_lost && is_claimed) {
    report_missing(round.partition, {round.next, batch.last_offset()});
    PENSTOCK_TRY(end_claim_before(batch.last_offset()));
    round.next = batch.last_offset() + 1;
    return {};
  }
  if (fetched.is_lost) {
    PENSTOCK_TRY(publish_up_to(round.next));
    PENSTOCK_TRY(skip_missing(round.partition, batch.last_offset() + 1));
    round.next = round.partition.next;
    return {};
  }
  if (batch.base_offset() > round.next && !is_claimed) {
    PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log_.offsets(fetched.from));
    if (offsets.start > round.next) {  // deleted while we were reading: the next round says so
      PENSTOCK_TRY(publish_up_to(round.next));
      round.target = round.next;
      return {};
    }
  }
  RecordReader reader(batch);
  RecordView record;
  while (!batch.is_control() && reader.next(record)) {
    PENSTOCK_TRY(take_record(record));
  }
  PENSTOCK_TRY(reader.status());
  PENSTOCK_TRY(end_claim_before(batch.last_offset()));
  if (round.file != nullptr) {
    PENSTOCK_TRY(round.file->writer().write());
  } else if (batch.last_offset() + 1 > round.next) {
    // Nothing to write, as in a batch that compaction emptied; the offsets belong to a file still.
    PENSTOCK_TRY(ensure_file(hour_of(microseconds_of(batch.max_timestamp()))));
  }
  round.next = batch.last_offset() + 1;
  if (round.file != nullptr && is_full()) {
    PENSTOCK_TRY(publish_up_to(round.next));
  }
  return {};
}

// A claimed file ends where it was said to, though the log may go on within a batch.
Status ArchiveSink::end_claim_before(Offset offset) {
  const auto claim = round_->partition.claim;
  if (!claim.has_value() || offset <= claim->range.last) {
    return {};
  }
  PENSTOCK_TRY(ensure_file(claim->hour));
  return publish_up_to(claim->range.last + 1);
}

bool ArchiveSink::is_full() const {
  const ParquetWriter& writer = round_->file->writer();
  return !round_->partition.claim.has_value() &&  // I3
         (writer.row_count() >= options_.file_rows_max ||
          writer.payload_size() >= options_.file_size_max);
}

Status ArchiveSink::take_record(const RecordView& record) {
  Round& round = *round_;
  if (record.header_count > 0) {
    if (const auto ingest_us = decode_ingest_time(find_header(record, kIngestTimeHeader))) {
      round.ingest_us = ingest_us;
    }
  }
  if (record.offset < round.next) {
    return {};  // archived already, in a batch that the position lies within
  }
  PENSTOCK_TRY(end_claim_before(record.offset));
  const std::int64_t ingest_us = round.ingest_us.value_or(microseconds_of(record.timestamp));
  const HourIndex hour = hour_of(ingest_us);
  if (round.file != nullptr && round.ingest_us.has_value() && round.file->hour() != hour &&
      !round.partition.claim.has_value()) {
    PENSTOCK_TRY(publish_up_to(record.offset));  // I2
  }
  PENSTOCK_TRY(ensure_file(hour));
  PENSTOCK_TRY(round.file->writer().add(record, ingest_us));
  round.next = record.offset + 1;
  return {};
}

Status ArchiveSink::ensure_file(HourIndex hour) {
  Round& round = *round_;
  if (round.file != nullptr) {
    return {};
  }
  const auto& claim = round.partition.claim;
  PENSTOCK_TRY_ASSIGN(
      round.file,
      ArchiveFile::create(files_, *store_,
                          {.topic = round.partition.topic->name,
                           .hour = claim.has_value() ? claim->hour : hour,
                           .first = round.partition.next,
                           .parquet = {.partition = round.partition.id.partition.value(),
                                       .group_size_max = options_.memory_max / kGroupsInMemory}}));
  return {};
}

// Publishes the file being written, if there is one, as all offsets before `next`.
Status ArchiveSink::publish_up_to(Offset next) {
  Round& round = *round_;
  if (round.file == nullptr) {
    return {};
  }
  PENSTOCK_CHECK(round.file->first() == round.partition.next);  // I1
  Status published = round.file->publish(next + -1);
  if (!published.has_value()) {
    if (round.file->in_doubt()) {
      doubt_ = published.error().with("it is not known whether the last archive file counts");
    }
    return published;
  }
  Topic& topic = *round.partition.topic;
  const auto row_count = static_cast<std::int64_t>(round.file->writer().row_count());
  topic.rows.add(round.file->writer().row_count());
  // The rows were counted one by one, the range is that of the name.
  topic.imbalance.add(static_cast<double>(std::abs(next - round.file->first() - row_count)));
  topic.bytes.add(round.file->size());
  topic.files.add(1);
  round.file.reset();
  round.partition.next = next;
  round.partition.claim.reset();
  round.next = next;
  return {};
}

Status ArchiveSink::request_finish(os::TimePoint now) {
  Status discovered = discover(now);
  finishing_ = true;
  PENSTOCK_TRY(find_ends());
  for (const auto& partition : partitions_) {
    partition->finish_at = partition->end;
  }
  return discovered;
}

bool ArchiveSink::finished() const {
  return finishing_ && round_ == nullptr &&
         std::all_of(partitions_.begin(), partitions_.end(),
                     [](const auto& partition) { return partition->next >= partition->finish_at; });
}

}  // namespace penstock::sinks
