#include "oracle/events.h"

#include <algorithm>

#include "core/check.h"
#include "oracle/shown.h"
#include "oracle/splitmix.h"

namespace penstock::oracle {
namespace {

[[nodiscard]] std::string letter(std::int64_t index) {
  return std::string(1, static_cast<char>('a' + index));
}

[[nodiscard]] const InputTopic& pick(const std::vector<InputTopic>& inputs, std::int64_t draw) {
  for (const InputTopic& input : inputs) {
    if (draw < input.weight) {
      return input;
    }
    draw -= input.weight;
  }
  PENSTOCK_CHECK(false);
  return inputs.front();
}

}  // namespace

std::string Event::line() const {
  if (is_clock()) {
    return "> clock +" + std::to_string(time_ms);
  }
  std::string line =
      "> " + topic + " " + shown(key) + " " + shown(value) + " @" + std::to_string(time_ms);
  return header.has_value() ? line + " {n=" + *header + "}" : line;
}

// Every draw is made whether it is needed or not, in the order of the Java side.
std::vector<Event> make_events(std::string_view topology, const Profile& profile, int seed) {
  SplitMix random(fnv(std::string(topology) + "/" + std::to_string(seed)));
  std::int64_t weights = 0;
  for (const InputTopic& input : profile.inputs) {
    weights += input.weight;
  }
  std::vector<Event> events;
  std::int64_t now = 0;
  for (std::int64_t i = 0; i < profile.events; ++i) {
    const bool is_clock = random.percent(profile.clock);
    const std::int64_t clock_by = 1 + random.below(profile.clock_by_ms);
    const InputTopic& input = pick(profile.inputs, random.below(weights));
    const std::int64_t step = random.below(2 * profile.step_ms + 1);
    const bool jumps = random.percent(profile.jump);
    const std::int64_t jump_by = random.below(profile.jump_by_ms + 1);
    const bool is_late = random.percent(profile.late);
    const std::int64_t late_by = random.below(profile.late_by_ms + 1);
    const bool has_null_key = random.percent(input.null_keys);
    const std::string key = letter(random.below(input.keys));
    const bool is_tombstone = random.percent(input.tombstones);
    std::string value = letter(random.below(profile.letters));
    value += std::to_string(random.below(100));
    if (is_clock) {
      events.push_back({.topic = {}, .key = {}, .value = {}, .time_ms = clock_by, .header = {}});
      continue;
    }
    now += step + (jumps ? jump_by : 0);
    events.push_back({.topic = input.topic,
                      .key = has_null_key ? std::nullopt : std::optional(key),
                      .value = is_tombstone ? std::nullopt : std::optional(value),
                      .time_ms = is_late ? std::max<std::int64_t>(0, now - late_by) : now,
                      .header = profile.headers ? std::optional(std::to_string(i)) : std::nullopt});
  }
  return events;
}

}  // namespace penstock::oracle
