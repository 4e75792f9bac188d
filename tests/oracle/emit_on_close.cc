// Aggregates that say only the last word of a window.
#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

using dsl::EmitStrategy;
using dsl::TimeWindows;

[[nodiscard]] TimeWindows tumbling() {
  return TimeWindows::of_size_and_grace(milliseconds(1000), milliseconds(600));
}

// Kept longer than any input lasts: see EmitOnClose.KEPT on the Java side.
[[nodiscard]] Materialized counts() {
  return Materialized("counts").with_retention(milliseconds(600'000));
}

template <typename Windows>
void count(dsl::StreamBuilder& builder, const Windows& windows) {
  stream(builder, "in")
      .group_by_key()
      .windowed_by(windows)
      .emit_strategy(EmitStrategy::kOnWindowClose)
      .count(counts())
      .to_stream()
      .to("out");
}

void count_tumbling(dsl::StreamBuilder& builder) {
  count(builder, tumbling());
}

constexpr Program kPrograms[] = {
    {"emit_on_close_tumbling", count_tumbling},
    {"emit_on_close_tumbling_no_grace",
     [](dsl::StreamBuilder& builder) {
       count(builder, TimeWindows::of_size_with_no_grace(milliseconds(1000)));
     }},
    {"emit_on_close_hopping",
     [](dsl::StreamBuilder& builder) { count(builder, tumbling().advance_by(milliseconds(250))); }},
    {"emit_on_close_sliding",
     [](dsl::StreamBuilder& builder) {
       count(builder, dsl::SlidingWindows::of_time_difference_and_grace(milliseconds(700),
                                                                        milliseconds(900)));
     }},
    {"emit_on_close_session",
     [](dsl::StreamBuilder& builder) {
       count(builder, dsl::SessionWindows::of_inactivity_gap_and_grace(milliseconds(500),
                                                                       milliseconds(800)));
     }},
    {"emit_on_close_interval", count_tumbling},
};

}  // namespace

Programs emit_on_close() {
  return kPrograms;
}

}  // namespace penstock::oracle
