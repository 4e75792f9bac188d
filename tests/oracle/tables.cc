// Tables of one topic: their steps, and tables grouped anew, where a change takes back the old
// value.
#include <string>
#include <utility>

#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

[[nodiscard]] bool is_even(const Text& value) {
  return number_of(&value) % 2 == 0;
}

// Not called with null, as Kafka Streams does not either.
[[nodiscard]] std::pair<Text, Text> by_letter(const Text& /*key*/, const Text& value) {
  return {*letter(&value), value};
}

[[nodiscard]] std::pair<Text, std::int64_t> number_by_letter(const Text& /*key*/,
                                                             const Text& value) {
  return {*letter(&value), number_of(&value)};
}

[[nodiscard]] std::int64_t zero() {
  return 0;
}

[[nodiscard]] std::int64_t add(const Text& /*key*/, const std::int64_t& value, std::int64_t sum) {
  return sum + value;
}

[[nodiscard]] std::int64_t subtract(const Text& /*key*/, const std::int64_t& value,
                                    std::int64_t sum) {
  return sum - value;
}

void source(dsl::StreamBuilder& builder) {
  table(builder, "in").to_stream().to("out");
}

void group_count(dsl::StreamBuilder& builder) {
  table(builder, "in").group_by(by_letter).count(Materialized("counts")).to_stream().to("out");
}

void group_sum(dsl::StreamBuilder& builder) {
  table(builder, "in")
      .group_by(number_by_letter)
      .aggregate(zero, add, subtract, Materialized("sums"))
      .to_stream()
      .to("out");
}

constexpr Program kPrograms[] = {
    {"table_source", source},
    {"table_source_cached", source},
    {"table_filter",
     [](dsl::StreamBuilder& builder) {
       table(builder, "in").filter(is_even).to_stream().to("out");
     }},
    {"table_filter_materialized",
     [](dsl::StreamBuilder& builder) {
       table(builder, "in").filter(is_even, Materialized("even")).to_stream().to("out");
     }},
    {"table_filter_not_cached",
     [](dsl::StreamBuilder& builder) {
       table(builder, "in").filter_not(is_even, Materialized("odd")).to_stream().to("out");
     }},
    {"table_map_values",
     [](dsl::StreamBuilder& builder) {
       table(builder, "in")
           .map_values([](const Text* value) { return number_of(value); })
           .to_stream()
           .to("out");
     }},
    {"table_map_values_materialized",
     [](dsl::StreamBuilder& builder) {
       table(builder, "in").map_values(pair_texts, Materialized("pairs")).to_stream().to("out");
     }},
    {"table_to_stream_new_key",
     [](dsl::StreamBuilder& builder) {
       table(builder, "in").to_stream().select_key(letter).to("out");
     }},
    {"table_of_stream",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .map_values([](const Text& value) { return value + "+t"; })
           .to_table(Materialized("latest"))
           .to_stream()
           .to("out");
     }},
    {"table_group_count", group_count},
    {"table_group_count_cached", group_count},
    {"table_group_reduce",
     [](dsl::StreamBuilder& builder) {
       table(builder, "in")
           .group_by(by_letter)
           .reduce([](const Text& old, const Text& value) { return old + "+" + value; },
                   [](const Text& old, const Text& value) { return old + "-" + value; },
                   Materialized("reduced"))
           .to_stream()
           .to("out");
     }},
    {"table_group_aggregate", group_sum},
    {"table_group_aggregate_cached", group_sum},
    {"table_group_headers", group_sum},
    {"table_group_filtered",
     [](dsl::StreamBuilder& builder) {
       table(builder, "in")
           .filter([](const Text& value) { return number_of(&value) > 30; })
           .group_by([](const Text& /*key*/, const Text& value) {
             return std::pair(Text("all"), number_of(&value));
           })
           .aggregate(zero, add, subtract, Materialized("sums"))
           .to_stream()
           .to("out");
     }},
    {"table_of_aggregate_group",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .group_by_key()
           .count(Materialized("counts"))
           .group_by([](const Text& key, const std::int64_t& count) {
             return std::pair(std::to_string(count % 3), key);
           })
           .count(Materialized("keys"))
           .to_stream()
           .to("out");
     }},
};

}  // namespace

Programs tables() {
  return kPrograms;
}

}  // namespace penstock::oracle
