// Tables that hold updates back.
#include <utility>

#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

using dsl::BufferConfig;
using dsl::Suppressed;
using dsl::TimeWindows;

[[nodiscard]] TimeWindows tumbling() {
  return TimeWindows::of_size_and_grace(milliseconds(1000), milliseconds(600));
}

template <typename Windows>
void final_counts(dsl::StreamBuilder& builder, const Windows& windows,
                  const Materialized& counts = Materialized("counts")) {
  stream(builder, "in")
      .group_by_key()
      .windowed_by(windows)
      .count(counts)
      .suppress(Suppressed::until_window_closes("final"))
      .to_stream()
      .to("out");
}

void final_hopping(dsl::StreamBuilder& builder) {
  final_counts(builder, tumbling().advance_by(milliseconds(250)));
}

[[nodiscard]] dsl::SessionWindows sessions_with_grace() {
  return dsl::SessionWindows::of_inactivity_gap_and_grace(milliseconds(500), milliseconds(800));
}

[[nodiscard]] Suppressed wait(milliseconds limit,
                              const BufferConfig& config = BufferConfig::unbounded()) {
  return Suppressed::until_time_limit("limited", limit, config);
}

void limited(dsl::StreamBuilder& builder, const Suppressed& until) {
  table(builder, "in").suppress(until).to_stream().to("out");
}

void time_limit(dsl::StreamBuilder& builder) {
  limited(builder, wait(milliseconds(700)));
}

constexpr Program kPrograms[] = {
    {"suppress_tumbling", [](dsl::StreamBuilder& builder) { final_counts(builder, tumbling()); }},
    {"suppress_tumbling_no_grace",
     [](dsl::StreamBuilder& builder) {
       final_counts(builder, TimeWindows::of_size_with_no_grace(milliseconds(1000)));
     }},
    {"suppress_hopping", final_hopping},
    {"suppress_hopping_cached", final_hopping},
    {"suppress_session",
     [](dsl::StreamBuilder& builder) { final_counts(builder, sessions_with_grace()); }},
    {"suppress_session_cached",
     [](dsl::StreamBuilder& builder) {
       final_counts(builder, sessions_with_grace(), Materialized("counts").with_retention(kKept));
     }},
    {"suppress_sliding",
     [](dsl::StreamBuilder& builder) {
       final_counts(builder, dsl::SlidingWindows::of_time_difference_and_grace(milliseconds(700),
                                                                               milliseconds(900)));
     }},
    {"suppress_time_limit", time_limit},
    {"suppress_time_limit_cached", time_limit},
    {"suppress_time_limit_zero",
     [](dsl::StreamBuilder& builder) { limited(builder, wait(milliseconds(0))); }},
    {"suppress_record_bound",
     [](dsl::StreamBuilder& builder) {
       limited(builder, wait(milliseconds(3000), BufferConfig::max_records(2)));
     }},
    {"suppress_headers", time_limit},
    {"suppress_then_group",
     [](dsl::StreamBuilder& builder) {
       table(builder, "in")
           .suppress(wait(milliseconds(700)))
           .group_by([](const Text& /*key*/, const Text& value) {
             return std::pair(*letter(&value), number_of(&value));
           })
           .aggregate(
               [] { return std::int64_t{0}; },
               [](const Text&, const std::int64_t& value, std::int64_t sum) { return sum + value; },
               [](const Text&, const std::int64_t& value, std::int64_t sum) { return sum - value; },
               Materialized("sums"))
           .to_stream()
           .to("out");
     }},
    {"suppress_count",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .count(Materialized("counts"))
           .suppress(wait(milliseconds(1000)))
           .to_stream()
           .to("out");
     }},
};

}  // namespace

Programs suppression() {
  return kPrograms;
}

}  // namespace penstock::oracle
