// The inputs of the oracle's topologies: made from a seed, the same as on the Java side (Event).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/golden_file.h"

namespace penstock::oracle {

// A record for a topic; or, with an empty topic, the wall clock goes on by `time_ms`.
struct Event {
  std::string topic;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t time_ms = 0;           // the record's timestamp
  std::optional<std::string> header;  // the value of a header "n"

  [[nodiscard]] bool is_clock() const { return topic.empty(); }

  // As it is shown in a run.
  [[nodiscard]] std::string line() const;
};

[[nodiscard]] std::vector<Event> make_events(std::string_view topology, const Profile& profile,
                                             int seed);

}  // namespace penstock::oracle
