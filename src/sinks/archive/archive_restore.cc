#include "sinks/archive/archive_restore.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/completion.h"
#include "record/internal_headers.h"
#include "record/record_batch.h"
#include "sinks/archive/parquet_reader.h"

namespace penstock::sinks {
namespace {

constexpr std::string_view kTopicHeader = "penstock.restored.topic";
constexpr std::string_view kPartitionHeader = "penstock.restored.partition";
constexpr std::string_view kOffsetHeader = "penstock.restored.offset";
constexpr std::chrono::milliseconds kCommitTimeout{60'000};
constexpr std::chrono::milliseconds kPollWait{20};

class Restorer {
 public:
  Restorer(const RestoreSurroundings& surroundings, ArchiveStore& store,
           const RestoreOptions& options)
      : log_(surroundings.log),
        files_system_(surroundings.files),
        clock_(surroundings.clock),
        store_(store),
        options_(options) {}

  Result<RestoreReport> run() {
    PENSTOCK_TRY_ASSIGN(files_, store_.list(options_.topic));
    if (files_.empty()) {
      return Error(ErrorCode::kNotFound,
                   "the archive in " + store_.place() + " has no topic " + options_.topic);
    }
    PENSTOCK_TRY(join_files(options_.topic, files_));
    PENSTOCK_TRY(open_topic());
    PENSTOCK_TRY(open_log());
    PENSTOCK_TRY(read_positions());
    for (const ArchivedFile& file : files_) {
      PENSTOCK_TRY(restore_file(file));
      if (!report_.is_complete) {
        break;
      }
    }
    return report_;
  }

 private:
  [[nodiscard]] std::string target_name() const {
    return options_.to.empty() ? options_.topic : options_.to;
  }

  [[nodiscard]] std::string group_id() const { return "archive-restore." + target_name(); }

  [[nodiscard]] TopicPartition target(PartitionId partition) const {
    return {topic_.id, partition};
  }

  Status open_topic() {
    const std::int32_t needed = files_.back().partition.value() + 1;
    auto found = log_.topic(target_name());
    if (!found.has_value() && found.error().code() == ErrorCode::kNotFound) {
      found = log_.ensure_topic({.name = target_name(), .partition_count = needed});
    }
    PENSTOCK_TRY(found);
    topic_ = *found;
    if (topic_.config.partition_count < needed) {
      return Error(ErrorCode::kInvalid, "topic " + target_name() + " has " +
                                            std::to_string(topic_.config.partition_count) +
                                            " partitions, and the archive " +
                                            std::to_string(needed));
    }
    return {};
  }

  // Commits of a group are its members' business, so we are one, and the only one.
  Status open_log() {
    PENSTOCK_TRY_ASSIGN(producer_, log_.open_transactional_producer(group_id()));
    PENSTOCK_TRY_ASSIGN(consumer_, log_.open_consumer({.name = "archive-restore",
                                                       .group_id = group_id(),
                                                       .topics = {topic_.id},
                                                       .instance_id = "restore"}));
    const os::TimePoint deadline = clock_.now() + options_.join_timeout;
    std::size_t owned = 0;
    while (owned < static_cast<std::size_t>(topic_.config.partition_count)) {
      PENSTOCK_TRY_ASSIGN(const log::Consumer::Polled polled, consumer_->poll(1));
      if (polled.rebalance.has_value()) {
        PENSTOCK_TRY_ASSIGN(const std::size_t more, take_assignment(*polled.rebalance));
        owned += more;
      } else if (clock_.now() >= deadline) {
        return Error(ErrorCode::kRetry, "the group " + group_id() + " cannot be joined in time");
      } else {
        consumer_->wait(kPollWait);
      }
    }
    return {};
  }

  Result<std::size_t> take_assignment(const log::Consumer::Rebalance& rebalance) {
    if (rebalance.kind != log::Consumer::Rebalance::Kind::kAssigned) {
      return Error(ErrorCode::kFenced, "another restore of topic " + target_name() + " was begun");
    }
    for (const TopicPartition& partition : rebalance.partitions) {
      consumer_->pause(partition);
    }
    return rebalance.partitions.size();
  }

  // Where in the archive each partition goes on.
  Status read_positions() {
    PENSTOCK_TRY_ASSIGN(const auto committed, log_.committed(group_id()));
    for (const log::OffsetCommit& commit : committed) {
      positions_[commit.partition.partition] = commit.next_offset;
    }
    for (std::int32_t number = 0; number < topic_.config.partition_count; ++number) {
      const PartitionId partition(number);
      PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log_.offsets(target(partition)));
      if (!positions_.contains(partition) && offsets.end > Offset(0) && !options_.among_others) {
        return Error(ErrorCode::kInvalid,
                     "topic " + target_name() + ", partition " + to_string(partition) +
                         " holds records already that no restore has brought: restore into "
                         "another topic with --to, or among them with --among-others");
      }
    }
    return {};
  }

  Status restore_file(const ArchivedFile& file) {
    const Offset position = position_of(file.partition);
    if (file.range.last < position) {
      return {};
    }
    if (!file.is_data) {
      report_.missing_offsets += static_cast<std::uint64_t>(file.range.last - file.range.first + 1);
      return {};
    }
    ++report_.files;
    PENSTOCK_TRY_ASSIGN(const auto copy, store_.fetch(file));
    auto reader = ParquetReader::open(files_system_, copy->path());
    if (!reader.has_value()) {
      return reader.error().with(file.name);
    }
    const Status restored = restore_records(**reader, file, position);
    return restored.has_value() ? Status() : Status(restored.error().with(file.name));
  }

  [[nodiscard]] Offset position_of(PartitionId partition) const {
    const auto found = positions_.find(partition);
    return found == positions_.end() ? Offset(0) : found->second;
  }

  Status restore_records(ParquetReader& reader, const ArchivedFile& file, Offset position) {
    ArchivedRecord record;
    for (;;) {
      PENSTOCK_TRY_ASSIGN(const bool is_there, reader.next(record));
      if (!is_there) {
        return flush(file.partition, file.range.last + 1);
      }
      if (record.offset < position) {
        continue;
      }
      add(record);
      if (builder_.size_bytes() >= options_.batch_size_max) {
        PENSTOCK_TRY(flush(file.partition, record.offset + 1));
        if (options_.interrupted()) {
          report_.is_complete = false;
          return {};
        }
      }
    }
  }

  void add(const ArchivedRecord& record) {
    const std::string partition = to_string(record.partition);
    const std::string offset = to_string(record.offset);
    headers_ = record.headers;
    headers_.push_back({kTopicHeader, as_bytes(options_.topic)});
    headers_.push_back({kPartitionHeader, as_bytes(partition)});
    headers_.push_back({kOffsetHeader, as_bytes(offset)});
    const auto ingest = encode_ingest_time(record.ingest_us);
    if (builder_.empty() || ingest_us_ != record.ingest_us) {  // it holds for those that follow
      headers_.push_back({kIngestTimeHeader, ByteView(ingest)});
    }
    ingest_us_ = record.ingest_us;
    builder_.append(record.timestamp, record.key, record.value, headers_);
    ++pending_;
  }

  // What was added is in the log, and the position behind it, or neither.
  Status flush(PartitionId partition, Offset next) {
    PENSTOCK_TRY(producer_->begin());
    if (!builder_.empty()) {
      PENSTOCK_TRY(producer_->append(target(partition), builder_.finish()));
    }
    PENSTOCK_TRY(
        producer_->commit_offsets(consumer_->group_metadata(), {{target(partition), next, ""}}));
    auto [done, source] = make_completion<void>();
    producer_->commit(
        [answer = std::move(source)](Status status) mutable { answer.set(std::move(status)); });
    const os::TimePoint deadline = clock_.now() + kCommitTimeout;
    for (options_.idle(); !done.wait_for(kPollWait); options_.idle()) {
      if (clock_.now() >= deadline) {
        return Error(ErrorCode::kRetry, "the log does not answer; run the same command again");
      }
    }
    PENSTOCK_TRY(done.take());
    report_.records += std::exchange(pending_, 0);
    positions_[partition] = next;
    return {};
  }

  log::Log& log_;
  os::FileSystem& files_system_;
  const os::Clock& clock_;
  ArchiveStore& store_;
  const RestoreOptions& options_;
  std::vector<ArchivedFile> files_;
  log::TopicInfo topic_;
  std::unique_ptr<log::TransactionalProducer> producer_;
  std::unique_ptr<log::Consumer> consumer_;
  std::map<PartitionId, Offset> positions_;
  RecordBatchBuilder builder_;
  std::vector<HeaderView> headers_;
  std::int64_t ingest_us_ = 0;
  std::uint64_t pending_ = 0;
  RestoreReport report_;
};

}  // namespace

Result<RestoreReport> restore_topic(const RestoreSurroundings& surroundings, ArchiveStore& store,
                                    const RestoreOptions& options) {
  return Restorer(surroundings, store, options).run();
}

}  // namespace penstock::sinks
