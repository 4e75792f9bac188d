#include "console/event_request.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

namespace penstock::console {

namespace {

constexpr std::int64_t kLimitDefault = 100;

// The `offset` parameter: one number for all partitions, or one for each.
struct OffsetParameter {
  std::optional<std::int64_t> for_all;
  std::map<std::int64_t, std::int64_t> by_partition;
};

Result<OffsetParameter> parse_offset(std::string_view text) {
  OffsetParameter offset;
  if (text.find(':') == std::string_view::npos) {
    offset.for_all = parse_integer(text);
    if (offset.for_all) {
      return offset;
    }
    text = {};
  }
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t colon = std::min(item.find(':'), item.size());
    const auto partition = parse_integer(item.substr(0, colon));
    const auto at = parse_integer(item.substr(std::min(colon + 1, item.size())));
    if (!partition || !at) {
      offset.by_partition.clear();
      break;
    }
    offset.by_partition[*partition] = *at;
  }
  if (offset.by_partition.empty()) {
    return Error(ErrorCode::kInvalid,
                 "parameter `offset` must be a whole number, from the end if it is negative, or "
                 "one for each partition, such as 0:17,1:5");
  }
  return offset;
}

Offset begin_of(const OffsetParameter& offset, std::int32_t partition,
                const log::PartitionOffsets& existing) {
  const auto found = offset.by_partition.find(partition);
  const std::optional<std::int64_t> wanted =
      found == offset.by_partition.end() ? offset.for_all : std::optional(found->second);
  if (!wanted) {
    return existing.start;
  }
  // A negative one cannot overflow: the end is never negative.
  const Offset at = *wanted < 0 ? existing.end + *wanted : Offset(*wanted);
  return std::clamp(at, existing.start, existing.end);
}

}  // namespace

Result<EventQuery> parse_event_request(const log::Log& log, const std::string& topic,
                                       const Parameters& parameters, std::uint32_t limit_max) {
  PENSTOCK_TRY_ASSIGN(const log::TopicInfo info, log.topic(topic));
  PENSTOCK_TRY_ASSIGN(
      const std::optional<std::int64_t> partition,
      parameters.integer("partition", 0, std::int64_t{info.config.partition_count} - 1));
  PENSTOCK_TRY_ASSIGN(const std::optional<std::int64_t> limit,
                      parameters.integer("limit", 1, limit_max));
  OffsetParameter offset;
  if (const auto text = parameters.text("offset")) {
    PENSTOCK_TRY_ASSIGN(offset, parse_offset(*text));
  }

  EventQuery query{.ranges = {},
                   .limit = static_cast<std::uint32_t>(limit.value_or(kLimitDefault))};
  if (const auto form = parameters.text("value")) {
    if (*form != "base64" && *form != "json") {
      return Error(ErrorCode::kInvalid, "parameter `value` must be json or base64");
    }
    query.values = *form == "base64" ? ValueForm::kBase64 : ValueForm::kPlain;
  }
  for (std::int32_t number = 0; number < info.config.partition_count; ++number) {
    if (partition && *partition != number) {
      continue;
    }
    const TopicPartition at{info.id, PartitionId(number)};
    PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets existing, log.offsets(at));
    query.ranges.push_back({at, begin_of(offset, number, existing), existing.end});
  }
  return query;
}

std::string next_offset_text(const Parameters& parameters, const EventQuery& query,
                             const EventPage& page) {
  if (parameters.text("partition")) {
    return to_string(page.next.front());
  }
  std::string text;
  for (std::size_t i = 0; i < query.ranges.size(); ++i) {
    text += (i == 0 ? "" : ",") + to_string(query.ranges[i].partition.partition) + ":" +
            to_string(page.next[i]);
  }
  return text;
}

}  // namespace penstock::console
