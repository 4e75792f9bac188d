#include "metrics/metrics.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "dsl/dsl.h"

namespace metrics {

namespace {

using namespace std::chrono_literals;
using namespace penstock::dsl;

}  // namespace

penstock::Result<penstock::topology::Topology> make_topology() {
  StreamBuilder builder({.application_id = "metrics"});
  const auto figures =
      builder.stream<std::string, Measurement>("measurements", {.malformed = Malformed::kDrop})
          .group_by_key()
          .windowed_by(TimeWindows::of_size_and_grace(1min, 2min))
          .aggregate([] { return Figures(); },
                     [](const std::string&, const Measurement& one, const Figures& sum) {
                       return Figures{sum.count + 1, sum.failed + (one.failed ? 1 : 0),
                                      std::max(sum.slowest, one.milliseconds),
                                      sum.sum + one.milliseconds};
                     },
                     Materialized("figures"));
  figures.to_stream().to("live");
  figures.suppress(Suppressed::until_window_closes("final-figures")).to_stream().to("final");
  return std::move(builder).build();
}

}  // namespace metrics
