// Streams that look up a table that every task has whole.
#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

[[nodiscard]] auto global(dsl::StreamBuilder& builder) {
  return builder.global_table<Text, Text>("table", Materialized("global"));
}

constexpr Program kPrograms[] = {
    {"global_table_inner",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in").join(global(builder), letter, pair_both).to("out");
     }},
    {"global_table_left",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in").left_join(global(builder), letter, pair_texts).to("out");
     }},
    {"global_table_by_key",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .left_join(
               global(builder), [](const Text& key, const Text* /*value*/) { return key; },
               pair_texts)
           .to("out");
     }},
    {"global_table_inner_key",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .join(global(builder), letter,
                 [](const Text* key, const Text* left, const Text* right) {
                   return shown_or_null(key) + ":" + pair_texts(left, right);
                 })
           .to("out");
     }},
};

}  // namespace

Programs global_tables() {
  return kPrograms;
}

}  // namespace penstock::oracle
