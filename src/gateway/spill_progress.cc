#include "gateway/spill_progress.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "core/units.h"

namespace penstock::gateway {

namespace {

constexpr std::size_t kPollBytes = 1 * kMiB;
constexpr std::chrono::milliseconds kPollWait{100};

std::optional<SpillProgress::Place> parse_place(std::string_view text) {
  SpillProgress::Place place;
  std::int64_t next = 0;
  const char* const end = text.data() + text.size();
  const auto [space, error] = std::from_chars(text.data(), end, place.generation);
  if (error != std::errc() || space == end || *space != ' ') {
    return std::nullopt;
  }
  const auto [after, next_error] = std::from_chars(space + 1, end, next);
  if (next_error != std::errc() || after != end) {
    return std::nullopt;
  }
  place.next = Offset(next);
  return place;
}

}  // namespace

std::string SpillProgress::key(std::string_view topic, PartitionId partition) const {
  return prefix_ + std::string(topic) + "/" + to_string(partition);
}

Result<SpillProgress::Places> SpillProgress::read(log::Log& log) {
  log::TopicConfig config;
  config.name = kSpillProgressTopic;
  config.cleanup = log::CleanupPolicy::kCompact;
  PENSTOCK_TRY_ASSIGN(const log::TopicInfo topic, log.ensure_topic(config));
  partition_ = {topic.id, PartitionId(0)};
  PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log.offsets(partition_));
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<log::Consumer> consumer,
                      log.open_consumer({.name = "spill-progress"}));
  PENSTOCK_TRY(consumer->assign({{partition_, offsets.start}}));
  Places places;
  for (Offset at = offsets.start; at < offsets.end;) {
    PENSTOCK_TRY_ASSIGN(const log::Consumer::Polled polled, consumer->poll(kPollBytes));
    if (polled.batches.empty()) {
      consumer->wait(kPollWait);
    }
    for (const log::FetchedBatch& fetched : polled.batches) {
      PENSTOCK_TRY(read_batch(fetched.bytes, places));
      at = RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kHeaderOnly)
               ->last_offset() +
           1;
    }
  }
  return places;
}

Status SpillProgress::read_batch(ByteView bytes, Places& places) const {
  PENSTOCK_TRY_ASSIGN(const RecordBatchView batch,
                      RecordBatchView::parse(bytes, RecordBatchView::Verify::kHeaderOnly));
  RecordReader reader(batch);
  RecordView record;
  while (reader.next(record)) {
    const std::string_view key = record.key ? as_text(*record.key) : std::string_view();
    if (!key.starts_with(prefix_) || key.size() == prefix_.size()) {
      continue;  // another gateway's, or a try
    }
    const auto place = record.value ? parse_place(as_text(*record.value)) : std::nullopt;
    if (!place.has_value()) {
      return Error(ErrorCode::kCorrupt, "topic " + std::string(kSpillProgressTopic) + ", offset " +
                                            to_string(record.offset) +
                                            ": not a record of shipped events");
    }
    places[std::string(key)] = *place;
  }
  return reader.status();
}

RecordBatch SpillProgress::encode(const Places& places, Timestamp now) const {
  RecordBatchBuilder builder;
  for (const auto& [key, place] : places) {
    const std::string value = std::to_string(place.generation) + " " + to_string(place.next);
    builder.append(now, as_bytes(key), as_bytes(value));
  }
  if (places.empty()) {
    builder.append(now, as_bytes(prefix_), as_bytes(std::string_view()));
  }
  return builder.finish();
}

}  // namespace penstock::gateway
