// Windows for every combination of records that lie close enough together.
#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

using dsl::SlidingWindows;

[[nodiscard]] SlidingWindows with_grace() {
  return SlidingWindows::of_time_difference_and_grace(milliseconds(700), milliseconds(900));
}

void count(dsl::StreamBuilder& builder, const SlidingWindows& windows) {
  stream(builder, "in")
      .group_by_key()
      .windowed_by(windows)
      .count(Materialized("counts"))
      .to_stream()
      .to("out");
}

void count_with_grace(dsl::StreamBuilder& builder) {
  count(builder, with_grace());
}

void aggregate(dsl::StreamBuilder& builder, const SlidingWindows& windows) {
  stream(builder, "in")
      .group_by_key()
      .windowed_by(windows)
      .aggregate(empty_text, append, Materialized("texts"))
      .to_stream()
      .to("out");
}

constexpr Program kPrograms[] = {
    {"sliding_count",
     [](dsl::StreamBuilder& builder) {
       count(builder, SlidingWindows::of_time_difference_with_no_grace(milliseconds(700)));
     }},
    {"sliding_count_grace", count_with_grace},
    {"sliding_count_cached", count_with_grace},
    {"sliding_reduce",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .windowed_by(with_grace())
           .reduce(reduce, Materialized("reduced"))
           .to_stream()
           .to("out");
     }},
    {"sliding_aggregate", [](dsl::StreamBuilder& builder) { aggregate(builder, with_grace()); }},
    {"sliding_headers", count_with_grace},
    {"sliding_crowded",
     [](dsl::StreamBuilder& builder) {
       aggregate(builder, SlidingWindows::of_time_difference_and_grace(milliseconds(300),
                                                                       milliseconds(5000)));
     }},
};

}  // namespace

Programs sliding() {
  return kPrograms;
}

}  // namespace penstock::oracle
