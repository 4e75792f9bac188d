// The topology of this example: the pages with the most views of each five minutes.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "core/result.h"
#include "dsl/fields.h"
#include "topology/topology.h"

namespace trending {

struct PageViews {
  std::string page;
  std::int64_t views = 0;

  static constexpr auto kFields = std::tuple(&PageViews::page, &PageViews::views);

  friend bool operator==(const PageViews&, const PageViews&) = default;
};

// Topic "views": page -> user. Topic "trending": the begin of five minutes -> its three pages with
// the most views, most first; grows while the partitions close the window one after the other.
// Views may be ten seconds late.
[[nodiscard]] penstock::Result<penstock::topology::Topology> make_topology();

}  // namespace trending
