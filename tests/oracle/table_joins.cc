// Tables joined with tables of the same key.
#include <string>
#include <utility>

#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

void inner(dsl::StreamBuilder& builder) {
  table(builder, "left")
      .join(table(builder, "right"), pair_both, Materialized("joined"))
      .to_stream()
      .to("out");
}

void left(dsl::StreamBuilder& builder) {
  table(builder, "left")
      .left_join(table(builder, "right"), pair_texts, Materialized("joined"))
      .to_stream()
      .to("out");
}

void outer(dsl::StreamBuilder& builder) {
  table(builder, "left")
      .outer_join(table(builder, "right"), pair_texts, Materialized("joined"))
      .to_stream()
      .to("out");
}

constexpr Program kPrograms[] = {
    {"table_join_inner",
     [](dsl::StreamBuilder& builder) {
       table(builder, "left").join(table(builder, "right"), pair_both).to_stream().to("out");
     }},
    {"table_join_left",
     [](dsl::StreamBuilder& builder) {
       table(builder, "left").left_join(table(builder, "right"), pair_texts).to_stream().to("out");
     }},
    {"table_join_outer",
     [](dsl::StreamBuilder& builder) {
       table(builder, "left").outer_join(table(builder, "right"), pair_texts).to_stream().to("out");
     }},
    {"table_join_inner_materialized", inner},
    {"table_join_left_materialized", left},
    {"table_join_outer_materialized", outer},
    {"table_join_inner_cached", inner},
    {"table_join_left_cached", left},
    {"table_join_outer_cached", outer},
    {"table_join_filtered",
     [](dsl::StreamBuilder& builder) {
       table(builder, "left")
           .filter([](const Text& value) { return number_of(&value) > 40; })
           .outer_join(table(builder, "right").map_values([](const Text& value) {
             return *letter(&value);
           }),
                       pair_texts)
           .to_stream()
           .to("out");
     }},
    {"table_join_then_filter",
     [](dsl::StreamBuilder& builder) {
       table(builder, "left")
           .left_join(table(builder, "right"), pair_texts)
           .filter([](const Text& value) { return value.size() > 6; })
           .to_stream()
           .to("out");
     }},
    {"table_join_headers", outer},
    {"table_join_three",
     [](dsl::StreamBuilder& builder) {
       table(builder, "left")
           .join(table(builder, "right"), pair_both)
           .left_join(table(builder, "third"), pair_texts)
           .to_stream()
           .to("out");
     }},
    {"table_join_of_counts",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "left")
           .group_by_key()
           .count(Materialized("lefts"))
           .outer_join(stream(builder, "right").group_by_key().count(Materialized("rights")),
                       pair<std::int64_t, std::int64_t>, Materialized("both"))
           .to_stream()
           .to("out");
     }},
    {"table_join_grouped",
     [](dsl::StreamBuilder& builder) {
       table(builder, "left")
           .join(table(builder, "right"), pair_both)
           .group_by([](const Text& /*key*/, const Text& value) {
             return std::pair(*letter(&value), value);
           })
           .count(Materialized("counts"))
           .to_stream()
           .to("out");
     }},
};

}  // namespace

Programs table_joins() {
  return kPrograms;
}

}  // namespace penstock::oracle
