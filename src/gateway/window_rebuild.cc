#include "gateway/window_rebuild.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "log/partitions.h"
#include "record/internal_headers.h"
#include "record/record_batch.h"
#include "schema/json_extractor.h"

namespace penstock::gateway {

namespace {

constexpr std::size_t kPollBytes = 4 * kMiB;
constexpr std::chrono::milliseconds kPollWait{100};

// The first guess of how many records of a partition are needed is its share and a quarter.
constexpr std::size_t kRecordsMin = 1000;

struct KnownId {
  std::int64_t accepted_us;
  IdHash id;
};

// Appends the ids of one batch's records to `ids`.
using ReadIds = std::function<Status(const RecordBatchView& batch, std::vector<KnownId>& ids)>;

// What was read of one partition.
struct Tail {
  TopicPartition partition;
  log::PartitionOffsets offsets;
  Offset from;
  std::int64_t reaches_back_to_us = std::numeric_limits<std::int64_t>::max();
  std::vector<KnownId> ids{};  // in the order of the log
};

// When the batch was accepted; the event times of one that somebody else wrote stand in.
std::int64_t accepted_at(const RecordBatchView& batch) {
  RecordReader reader(batch);
  RecordView first;
  const std::int64_t latest = batch.max_timestamp().value() * 1000;
  return reader.next(first)
             ? decode_ingest_time(find_header(first, kIngestTimeHeader)).value_or(latest)
             : latest;
}

Status read_tail(log::Log& log, Tail& tail, const ReadIds& read_ids) {
  constexpr std::int64_t kNotKnown = std::numeric_limits<std::int64_t>::max();
  tail.ids.clear();
  tail.reaches_back_to_us = kNotKnown;
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<log::Consumer> consumer,
                      log.open_consumer({.name = "gateway-rebuild"}));
  PENSTOCK_TRY(consumer->assign({{tail.partition, tail.from}}));
  for (Offset at = tail.from; at < tail.offsets.end;) {
    PENSTOCK_TRY_ASSIGN(const log::Consumer::Polled polled, consumer->poll(kPollBytes));
    if (polled.batches.empty()) {
      consumer->wait(kPollWait);
      PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets now, log.offsets(tail.partition));
      at = std::max(at, now.start);  // retention may have taken what was to come
    }
    for (const log::FetchedBatch& fetched : polled.batches) {
      PENSTOCK_TRY_ASSIGN(
          const RecordBatchView batch,
          RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kHeaderOnly));
      if (fetched.is_lost) {  // the ids in there are forgotten
        at = std::max(at, batch.last_offset() + 1);
        continue;
      }
      if (tail.reaches_back_to_us == kNotKnown) {
        tail.reaches_back_to_us = accepted_at(batch);
      }
      PENSTOCK_TRY(read_ids(batch, tail.ids));
      at = std::max(at, batch.last_offset() + 1);
    }
  }
  return {};
}

// The newest `options.count_max` ids of all tails that are young enough, oldest first; absent if
// the tails do not reach back far enough to know them.
std::optional<std::vector<KnownId>> newest(const std::vector<Tail>& tails,
                                           const WindowOptions& options, std::int64_t oldest_us) {
  // Of a partition that was not read from its begin, older ids are missing.
  std::int64_t complete_from = oldest_us;
  std::vector<KnownId> all;
  for (const Tail& tail : tails) {
    if (tail.from > tail.offsets.start) {
      complete_from = std::max(complete_from, tail.reaches_back_to_us);
    }
    all.insert(all.end(), tail.ids.begin(), tail.ids.end());
  }
  std::erase_if(all, [&](const KnownId& known) { return known.accepted_us < complete_from; });
  if (complete_from > oldest_us && all.size() < options.count_max) {
    return std::nullopt;
  }
  std::stable_sort(all.begin(), all.end(), [](const KnownId& a, const KnownId& b) {
    return a.accepted_us < b.accepted_us;
  });
  if (all.size() > options.count_max) {
    all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(options.count_max));
  }
  return all;
}

Result<std::size_t> rebuild(const RebuildContext& context, TopicId topic,
                            std::int32_t partition_count, SharedWindow& window,
                            const WindowOptions& options, const ReadIds& read_ids) {
  PENSTOCK_TRY_ASSIGN(const std::vector<log::PartitionBounds> bounds,
                      context.log.bounds(log::partitions_of(topic, partition_count)));
  std::vector<Tail> tails;
  tails.reserve(bounds.size());
  for (const log::PartitionBounds& at : bounds) {
    tails.push_back({at.partition, {at.start, at.written_end}, at.written_end});
  }
  const std::int64_t oldest_us = (context.now_seconds - options.time_max.count()) * 1'000'000;
  const auto partitions = static_cast<std::size_t>(partition_count);
  std::size_t records = std::max(kRecordsMin, options.count_max / partitions * 5 / 4);
  std::optional<std::vector<KnownId>> known;
  for (;; records *= 2) {
    for (Tail& tail : tails) {
      const Offset from =
          std::max(tail.offsets.start, tail.offsets.end + -static_cast<std::int64_t>(records));
      const bool far_enough =
          tail.from == tail.offsets.start || tail.reaches_back_to_us < oldest_us;
      if (from < tail.from && !far_enough) {
        tail.from = from;
        PENSTOCK_TRY(read_tail(context.log, tail, read_ids));
      }
    }
    known = newest(tails, options, oldest_us);
    if (known.has_value()) {
      break;
    }
  }
  return window.with([&](DedupWindow& w) {
    for (const KnownId& id : *known) {
      w.restore(id.id, id.accepted_us / 1'000'000);
    }
    return w.size();
  });
}

}  // namespace

Result<std::size_t> rebuild_ids(const RebuildContext& context, Topic& topic,
                                const WindowOptions& options) {
  const JsonPointer& pointer = *topic.id_pointer;
  const ExtractPlan plan = ExtractPlan::compile({&pointer, 1});
  JsonExtractor extractor(plan);
  std::string scratch;
  const ReadIds read_ids = [&](const RecordBatchView& batch, std::vector<KnownId>& ids) -> Status {
    extractor.clear();
    RecordReader reader(batch);
    RecordView record;
    while (reader.next(record)) {
      if (record.value.has_value()) {
        extractor.add(*record.value);
      }
    }
    PENSTOCK_TRY(reader.status());
    extractor.run();
    const std::int64_t accepted = accepted_at(batch);
    for (std::size_t i = 0; i < extractor.size(); ++i) {
      if (!extractor.ok(i)) {
        continue;  // not an event of ours
      }
      if (const auto id = key_text(extractor.values(i)[0], scratch)) {
        ids.push_back({accepted, context.hasher(as_bytes(*id))});
      }
    }
    return {};
  };
  return rebuild(context, topic.id, topic.partition_count, *topic.ids, options, read_ids);
}

Result<std::size_t> rebuild_request_keys(const RebuildContext& context, TopicId topic,
                                         SharedWindow& window, const WindowOptions& options) {
  const ReadIds read_ids = [&](const RecordBatchView& batch, std::vector<KnownId>& ids) -> Status {
    const std::int64_t accepted = accepted_at(batch);
    RecordReader reader(batch);
    RecordView record;
    while (reader.next(record)) {
      if (record.key.has_value()) {
        ids.push_back({accepted, context.hasher(*record.key)});
      }
    }
    return reader.status();
  };
  return rebuild(context, topic, 1, window, options, read_ids);
}

}  // namespace penstock::gateway
