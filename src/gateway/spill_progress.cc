#include "gateway/spill_progress.h"

#include <charconv>
#include <optional>

#include "core/bytes.h"
#include "log/read_partition.h"

namespace penstock::gateway {

namespace {

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
  Places places;
  PENSTOCK_TRY(
      log::read_partition(log, partition_, "spill-progress",
                          [&](const RecordView& record) { return read_record(record, places); }));
  return places;
}

Status SpillProgress::read_record(const RecordView& record, Places& places) const {
  const std::string_view key = record.key ? as_text(*record.key) : std::string_view();
  if (!key.starts_with(prefix_) || key.size() == prefix_.size()) {
    return {};  // another gateway's, or a try
  }
  const auto place = record.value ? parse_place(as_text(*record.value)) : std::nullopt;
  if (!place.has_value()) {
    return Error(ErrorCode::kCorrupt, "topic " + std::string(kSpillProgressTopic) + ", offset " +
                                          to_string(record.offset) +
                                          ": not a record of shipped events");
  }
  places[std::string(key)] = *place;
  return {};
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
