// Streams grouped by key, without windows.
#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

void count(dsl::StreamBuilder& builder) {
  stream(builder, "in").group_by_key().count(Materialized("counts")).to_stream().to("out");
}

constexpr Program kPrograms[] = {
    {"aggregate_count", count},
    {"aggregate_count_cached", count},
    {"aggregate_reduce",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .reduce(reduce, Materialized("reduced"))
           .to_stream()
           .to("out");
     }},
    {"aggregate_reduce_to_null",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .reduce(
               [](const Text& old, const Text& value) {
                 return number_of(&value) < 40 ? std::nullopt : std::optional(reduce(old, &value));
               },
               Materialized("reduced"))
           .to_stream()
           .to("out");
     }},
    {"aggregate_aggregate",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .aggregate([] { return std::int64_t{1000}; }, sum, Materialized("sums"))
           .to_stream()
           .to("out");
     }},
    {"aggregate_aggregate_to_null_cached",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .aggregate(
               empty_text,
               [](const Text& key, const Text* value, const Text& old) {
                 return old.size() > 8 ? std::nullopt : std::optional(append(key, value, old));
               },
               Materialized("texts"))
           .to_stream()
           .to("out");
     }},
    {"aggregate_group_by",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by(letter)
           .aggregate([] { return std::int64_t{0}; }, sum, Materialized("sums"))
           .to_stream()
           .to("out");
     }},
    {"aggregate_group_by_number",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by([](const Text* value) { return number_of(value) % 5 - 2; })
           .reduce(reduce, Materialized("texts"))
           .to_stream()
           .to("out");
     }},
    {"aggregate_two_levels",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .count(Materialized("counts"))
           .to_stream()
           .group_by(
               [](const std::int64_t& count) { return Text(count % 2 == 0 ? "even" : "odd"); })
           .count(Materialized("changes"))
           .to_stream()
           .to("out");
     }},
    {"aggregate_headers", count},
    {"aggregate_headers_cached", count},
};

}  // namespace

Programs aggregates() {
  return kPrograms;
}

}  // namespace penstock::oracle
