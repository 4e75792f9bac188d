// Tables that remember: joins see the value as of the time of the record.
#include <optional>
#include <utility>

#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

[[nodiscard]] auto versioned(dsl::StreamBuilder& builder, const Text& topic) {
  return builder.table<Text, Text>(topic, Materialized(topic).versioned(milliseconds(4000)));
}

constexpr Program kPrograms[] = {
    {"versioned_source",
     [](dsl::StreamBuilder& builder) { versioned(builder, "table").to_stream().to("out"); }},
    {"versioned_filter",
     [](dsl::StreamBuilder& builder) {
       versioned(builder, "table")
           .filter([](const Text& value) { return number_of(&value) > 40; })
           .to_stream()
           .to("out");
     }},
    {"versioned_group",
     [](dsl::StreamBuilder& builder) {
       versioned(builder, "table")
           .group_by([](const Text& /*key*/, const Text& value) {
             return std::pair(*letter(&value), value);
           })
           .count(Materialized("counts"))
           .to_stream()
           .to("out");
     }},
    {"versioned_stream_table_inner",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .join(versioned(builder, "table"), pair_both, dsl::Joined("lookup"))
           .to("out");
     }},
    {"versioned_stream_table_left",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .left_join(versioned(builder, "table"), pair_texts, dsl::Joined("lookup"))
           .to("out");
     }},
    {"versioned_stream_table_grace",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .left_join(versioned(builder, "table"), pair_texts,
                      dsl::Joined("graceful").with_grace(milliseconds(900)))
           .to("out");
     }},
    {"versioned_table_join",
     [](dsl::StreamBuilder& builder) {
       versioned(builder, "left")
           .outer_join(versioned(builder, "right"), pair_texts)
           .to_stream()
           .to("out");
     }},
    {"versioned_foreign_key",
     [](dsl::StreamBuilder& builder) {
       versioned(builder, "left")
           .left_join(
               versioned(builder, "right"), [](const Text& value) { return letter(&value); },
               pair_texts, dsl::TableJoined("fk"), Materialized("joined"))
           .to_stream()
           .to("out");
     }},
};

}  // namespace

Programs versioned() {
  return kPrograms;
}

}  // namespace penstock::oracle
