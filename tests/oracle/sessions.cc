// Windows that end with inactivity.
#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

using dsl::SessionWindows;

[[nodiscard]] SessionWindows with_grace() {
  return SessionWindows::of_inactivity_gap_and_grace(milliseconds(500), milliseconds(800));
}

void count(dsl::StreamBuilder& builder, const SessionWindows& windows,
           const Materialized& counts = Materialized("counts")) {
  stream(builder, "in").group_by_key().windowed_by(windows).count(counts).to_stream().to("out");
}

void count_with_grace(dsl::StreamBuilder& builder) {
  count(builder, with_grace());
}

void aggregate(dsl::StreamBuilder& builder, const SessionWindows& windows,
               const Materialized& texts = Materialized("texts")) {
  stream(builder, "in")
      .group_by_key()
      .windowed_by(windows)
      .aggregate(empty_text, append, merge, texts)
      .to_stream()
      .to("out");
}

void aggregate_with_grace(dsl::StreamBuilder& builder) {
  aggregate(builder, with_grace());
}

constexpr Program kPrograms[] = {
    {"sessions_count",
     [](dsl::StreamBuilder& builder) {
       count(builder, SessionWindows::of_inactivity_gap_with_no_grace(milliseconds(500)));
     }},
    {"sessions_count_grace", count_with_grace},
    {"sessions_count_cached",
     [](dsl::StreamBuilder& builder) {
       count(builder, with_grace(), Materialized("counts").with_retention(kKept));
     }},
    {"sessions_reduce",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .windowed_by(with_grace())
           .reduce(reduce, Materialized("reduced"))
           .to_stream()
           .to("out");
     }},
    {"sessions_aggregate", aggregate_with_grace},
    {"sessions_aggregate_cached",
     [](dsl::StreamBuilder& builder) {
       aggregate(builder, with_grace(), Materialized("texts").with_retention(kKept));
     }},
    {"sessions_group_by",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by(letter)
           .windowed_by(with_grace())
           .count(Materialized("counts"))
           .to_stream()
           .to("out");
     }},
    {"sessions_headers", count_with_grace},
    {"sessions_merging",
     [](dsl::StreamBuilder& builder) {
       aggregate(builder, SessionWindows::of_inactivity_gap_and_grace(milliseconds(300),
                                                                      milliseconds(10'000)));
     }},
};

}  // namespace

Programs sessions() {
  return kPrograms;
}

}  // namespace penstock::oracle
