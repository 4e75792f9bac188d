// Streams that look up a table.
#include <string>

#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

using dsl::Joined;

[[nodiscard]] Joined joined() {
  return Joined("lookup");
}

[[nodiscard]] Text pair_number(const Text& left, const std::int64_t& right) {
  return left + "+" + std::to_string(right);
}

void inner(dsl::StreamBuilder& builder) {
  stream(builder, "in").join(table(builder, "table"), pair_both, joined()).to("out");
}

constexpr Program kPrograms[] = {
    {"stream_table_inner", inner},
    {"stream_table_left",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in").left_join(table(builder, "table"), pair_texts, joined()).to("out");
     }},
    {"stream_table_inner_cached", inner},
    {"stream_table_left_key",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .left_join(
               table(builder, "table"),
               [](const Text* key, const Text* left, const Text* right) {
                 return shown_or_null(key) + ":" + pair(left, right);
               },
               joined())
           .to("out");
     }},
    {"stream_table_repartitioned",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .select_key(letter)
           .left_join(table(builder, "table"), pair_texts, joined())
           .to("out");
     }},
    {"stream_table_headers", inner},
    {"stream_table_filtered",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .left_join(table(builder, "table").filter([](const Text& value) {
             return number_of(&value) > 40;
           }),
                      pair_texts, joined())
           .to("out");
     }},
    {"stream_table_mapped",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .join(table(builder, "table").map_values([](const Text& value) {
             return number_of(&value) * 2;
           }),
                 pair_number, joined())
           .to("out");
     }},
    {"stream_table_own_count",
     [](dsl::StreamBuilder& builder) {
       const auto in = stream(builder, "in");
       const auto counts = in.group_by_key().count(Materialized("counts"));
       in.join(counts, pair_number, joined()).to("out");
     }},
};

}  // namespace

Programs stream_table_joins() {
  return kPrograms;
}

}  // namespace penstock::oracle
