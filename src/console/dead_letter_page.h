// A page of the dead letters of one topic, each with its original bytes: the answer to GET
// /v1/dead-letters/{topic}.
//
//   {"letters":[{"topic":...,"offset":...,"time":...,"code":...,"message":...,"source":...,
//     "replays":0,"quarantined":false,"event":"..."}],"next_offset":17,"end":20}
//
// `event` is the bytes as text; where they are none, `event_base64` has them. `offset` says where a
// page begins, `limit` how many letters it has at most (100, up to 10,000); a page ends at 4 MiB,
// too, and where it has looked at many letters that were not wanted: it is the last one if
// `next_offset` has reached `end`. Filters are those of dead_letter_stats.h.
//
// Threads   any; the reader belongs to one.
// Errors    kInvalid   a parameter is wrong
//           kNotFound  the topic has no dead letters
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "console/event_reader.h"
#include "core/result.h"
#include "log/log.h"
#include "record/dead_letter_view.h"

namespace penstock::console {

struct DeadLetterPageQuery {
  std::string topic;
  DeadLetterFilter filter;
  Offset offset;
  std::uint32_t limit = 100;
};

[[nodiscard]] Result<DeadLetterPageQuery> parse_dead_letter_page(std::string topic,
                                                                 std::string_view query,
                                                                 std::uint32_t replays_max);

// As JSON.
[[nodiscard]] Result<std::string> dead_letter_page(const log::Log& log, EventReader& reader,
                                                   const DeadLetterPageQuery& query);

}  // namespace penstock::console
