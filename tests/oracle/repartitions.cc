// Records that go through a topic of the topology's own.
#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

constexpr Program kPrograms[] = {
    {"repartition_explicit",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .select_key(letter)
           .repartition(dsl::Repartitioned("by-letter"))
           .map_values(pair_texts)
           .to("out");
     }},
    {"repartition_then_count",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .select_key(letter)
           .group_by_key()
           .count(Materialized("counts"))
           .to_stream()
           .to("out");
     }},
    {"repartition_group_by_window",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .filter([](const Text* key, const Text*) { return key == nullptr || *key != "c"; })
           .group_by(letter, {"by-letter"})
           .windowed_by(dsl::TimeWindows::of_size_and_grace(milliseconds(1000), milliseconds(500)))
           .count(Materialized("counts"))
           .to_stream()
           .to("out");
     }},
    {"repartition_headers",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .select_key(letter)
           .repartition(dsl::Repartitioned("by-letter"))
           .to("out");
     }},
    {"repartition_to_table",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .select_key(letter)
           .to_table(Materialized("latest"))
           .to_stream()
           .to("out");
     }},
};

}  // namespace

Programs repartitions() {
  return kPrograms;
}

}  // namespace penstock::oracle
