// The results of the queries, recomputed from all events at once: no windows that close, no state,
// no order. An oracle for the engine's results, written apart from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nexmark/events.h"

namespace penstock::nexmark {

// As Runner::results() gives them; those of processing time as if 1,000 events were a second.
[[nodiscard]] std::vector<std::string> naive_results(std::string_view query,
                                                     const std::vector<Event>& events);

}  // namespace penstock::nexmark
