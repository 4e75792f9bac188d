#include "schema/timestamp.h"

#include <cmath>
#include <string>

#include "core/rfc3339.h"

namespace penstock {

namespace {

constexpr std::int64_t kLastMs = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z

std::optional<Timestamp> checked(std::optional<std::int64_t> epoch_ms) {
  if (!epoch_ms || *epoch_ms < 0 || *epoch_ms > kLastMs) {
    return std::nullopt;
  }
  return Timestamp(*epoch_ms);
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  return checked(parse_rfc3339(text));
}

std::optional<Timestamp> event_time(const JsonValue& value) {
  if (value.type == JsonType::kString) {
    std::string scratch;
    return parse_timestamp(string_text(value, scratch));
  }
  const std::optional<double> ms = value.as_double();
  if (!ms || *ms < 0 || *ms > static_cast<double>(kLastMs)) {
    return std::nullopt;
  }
  return Timestamp(static_cast<std::int64_t>(*ms));
}

}  // namespace penstock
