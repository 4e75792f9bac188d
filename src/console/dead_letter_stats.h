// How many dead letters there are, by topic, reason, sink and hour: the answer to GET
// /v1/dead-letters.
//
//   topic, code, sink  absent: all
//   since, until       of the letters' own times; RFC 3339 or epoch ms, until exclusive
//
// It reads the letters that are there, the oldest first; of each topic at most `letters_max`, and
// says so in `complete`.
//
// Threads   any; the reader belongs to one.
// Errors    kInvalid   a parameter is wrong
//           kNotFound  the topic has no dead letters
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "console/event_reader.h"
#include "core/result.h"
#include "log/log.h"
#include "record/types.h"

namespace penstock::console {

struct DeadLetterQuery {
  std::string topic;
  std::string code;
  std::string sink;
  std::optional<Timestamp> since;
  std::optional<Timestamp> until;
  std::uint64_t letters_max = 1'000'000;
};

[[nodiscard]] Result<DeadLetterQuery> parse_dead_letter_query(std::string_view query);

// As JSON.
[[nodiscard]] Result<std::string> dead_letter_stats(const log::Log& log, EventReader& reader,
                                                    const DeadLetterQuery& query);

}  // namespace penstock::console
