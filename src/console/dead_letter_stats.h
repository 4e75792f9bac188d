// How many dead letters there are, by topic, reason, sink and hour: the answer to GET
// /v1/dead-letters.
//
//   topic, code, sink  absent: all
//   since, until       of the letters' own times; RFC 3339 or epoch ms, until exclusive
//   quarantined        true: only those in quarantine; false: only the others; absent: all
//
// It reads the letters that are there, the oldest first; of each topic at most `letters_max`, and
// says so in `complete`.
//
// Threads   any; the reader belongs to one.
// Errors    kInvalid   a parameter is wrong
//           kNotFound  the topic has no dead letters
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "console/event_reader.h"
#include "console/parameters.h"
#include "core/result.h"
#include "log/log.h"
#include "record/dead_letter_view.h"

namespace penstock::console {

struct DeadLetterQuery {
  std::string topic;
  DeadLetterFilter filter;
  std::uint64_t letters_max = 1'000'000;
};

// `replays_max`: where quarantine begins.
[[nodiscard]] Result<DeadLetterQuery> parse_dead_letter_query(std::string_view query,
                                                              std::uint32_t replays_max);

// The filter of those parameters.
[[nodiscard]] Result<DeadLetterFilter> dead_letter_filter(const Parameters& parameters,
                                                          std::uint32_t replays_max);

// As JSON.
[[nodiscard]] Result<std::string> dead_letter_stats(const log::Log& log, EventReader& reader,
                                                    const DeadLetterQuery& query);

}  // namespace penstock::console
