// Tumbling and hopping windows.
#include <string>
#include <utility>

#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

using dsl::TimeWindows;
using Key = dsl::Windowed<Text>;

[[nodiscard]] TimeWindows tumbling() {
  return TimeWindows::of_size_with_no_grace(milliseconds(1000));
}

[[nodiscard]] TimeWindows with_grace() {
  return TimeWindows::of_size_and_grace(milliseconds(1000), milliseconds(600));
}

[[nodiscard]] TimeWindows hopping() {
  return with_grace().advance_by(milliseconds(250));
}

[[nodiscard]] auto counts(dsl::StreamBuilder& builder, const TimeWindows& windows) {
  return stream(builder, "in").group_by_key().windowed_by(windows).count(Materialized("counts"));
}

void count(dsl::StreamBuilder& builder, const TimeWindows& windows) {
  counts(builder, windows).to_stream().to("out");
}

void count_with_grace(dsl::StreamBuilder& builder) {
  count(builder, with_grace());
}

void reduce_in(dsl::StreamBuilder& builder, const TimeWindows& windows) {
  stream(builder, "in")
      .group_by_key()
      .windowed_by(windows)
      .reduce(reduce, Materialized("reduced"))
      .to_stream()
      .to("out");
}

constexpr Program kPrograms[] = {
    {"windows_tumbling_count", [](dsl::StreamBuilder& builder) { count(builder, tumbling()); }},
    {"windows_tumbling_count_grace", count_with_grace},
    {"windows_tumbling_count_cached", count_with_grace},
    {"windows_hopping_count",
     [](dsl::StreamBuilder& builder) { count(builder, tumbling().advance_by(milliseconds(500))); }},
    {"windows_hopping_count_cached",
     [](dsl::StreamBuilder& builder) { count(builder, hopping()); }},
    {"windows_tumbling_reduce_cached",
     [](dsl::StreamBuilder& builder) { reduce_in(builder, with_grace()); }},
    {"windows_hopping_uneven",
     [](dsl::StreamBuilder& builder) {
       count(builder, with_grace().advance_by(milliseconds(300)));
     }},
    {"windows_hopping_reduce", [](dsl::StreamBuilder& builder) { reduce_in(builder, hopping()); }},
    {"windows_hopping_aggregate",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .windowed_by(hopping())
           .aggregate([] { return std::int64_t{100}; }, sum, Materialized("sums"))
           .to_stream()
           .to("out");
     }},
    {"windows_tumbling_aggregate_to_null",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .windowed_by(with_grace())
           .aggregate(
               empty_text,
               [](const Text& key, const Text* value, const Text& old) {
                 return old.size() > 5 ? std::nullopt : std::optional(append(key, value, old));
               },
               Materialized("texts"))
           .to_stream()
           .to("out");
     }},
    {"windows_key_unpacked",
     [](dsl::StreamBuilder& builder) {
       counts(builder, with_grace())
           .to_stream()
           .map([](const Key& windowed, const std::int64_t& count) {
             return std::pair(windowed.key, std::to_string(windowed.window.start.value()) + "-" +
                                                std::to_string(windowed.window.end.value()) + "+" +
                                                std::to_string(count));
           })
           .to("out");
     }},
    {"windows_table_filter",
     [](dsl::StreamBuilder& builder) {
       counts(builder, with_grace())
           .filter([](const std::int64_t& count) { return count % 2 == 0; })
           .to_stream()
           .to("out");
     }},
    {"windows_headers", [](dsl::StreamBuilder& builder) { count(builder, hopping()); }},
    {"windows_retention",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .windowed_by(with_grace())
           .count(Materialized("counts").with_retention(milliseconds(5000)))
           .to_stream()
           .to("out");
     }},
};

}  // namespace

Programs windows() {
  return kPrograms;
}

}  // namespace penstock::oracle
