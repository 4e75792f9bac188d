#include "trending/trending.h"

#include <chrono>
#include <utility>

#include "dsl/dsl.h"

namespace trending {

namespace {

using namespace std::chrono_literals;
using namespace penstock::dsl;

}  // namespace

penstock::Result<penstock::topology::Topology> make_topology() {
  StreamBuilder builder({.application_id = "trending", .emit_interval = 0ms});
  builder.stream<std::string, std::string>("views")
      .group_by_key()
      .windowed_by(TimeWindows::of_size_and_grace(5min, 10s))
      .emit_strategy(EmitStrategy::kOnWindowClose)
      .count(Materialized("views-per-page"))
      .to_stream()
      .map([](const Windowed<std::string>& page, std::int64_t views) {
        return std::pair(page.window.start.value(), PageViews{page.key, views});
      })
      .group_by_key()
      .top_n(
          3, [](const PageViews& page) { return page.views; }, Materialized("top-pages"))
      .to_stream()
      .to("trending");
  return std::move(builder).build();
}

}  // namespace trending
