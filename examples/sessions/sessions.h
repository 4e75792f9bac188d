// The topology of this example: visits, from page views.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "core/result.h"
#include "dsl/fields.h"
#include "topology/topology.h"

namespace sessions {

// Milliseconds since the epoch.
struct View {
  std::string page;
  std::int64_t time = 0;

  static constexpr auto kFields = std::tuple(&View::page, &View::time);
};

struct Visit {
  std::int64_t views = 0;
  View first;
  View last;

  static constexpr auto kFields = std::tuple(&Visit::views, &Visit::first, &Visit::last);
};

// Topic "views": user -> View. Topic "visits": (user, session) -> Visit, once, when nothing more
// can come to it: a visit ends half an hour after its last view, and views may be five minutes
// late.
[[nodiscard]] penstock::Result<penstock::topology::Topology> make_topology();

}  // namespace sessions
