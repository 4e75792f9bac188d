// From the parameters of GET /v1/topics/{topic}/events to what is read, and back to where the next
// page begins.
//
//   partition  absent: all partitions, one after the other
//   offset     absent: the oldest record; n: from offset n on; -n: the last n records; each in
//   every
//              partition that is read. Or one per partition, as Penstock-Next-Offset gives them:
//              0:17,1:5. Beyond what exists: the nearest end of it.
//   limit      of records, default 100
//
//   value      base64: every value as {"base64":"..."}, so that its bytes come through untouched
//
// Threads   any.
#pragma once

#include <cstdint>
#include <string>

#include "console/event_reader.h"
#include "console/parameters.h"
#include "core/result.h"
#include "log/log.h"

namespace penstock::console {

// kNotFound: no such topic. kInvalid: a parameter is wrong.
[[nodiscard]] Result<EventQuery> parse_event_request(const log::Log& log, const std::string& topic,
                                                     const Parameters& parameters,
                                                     std::uint32_t limit_max);

// "17" if one partition was asked for, else "0:17,1:5": the `offset` parameter of the next page.
[[nodiscard]] std::string next_offset_text(const Parameters& parameters, const EventQuery& query,
                                           const EventPage& page);

}  // namespace penstock::console
