// The bytes of repartition and changelog topics.
#include <utility>

#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

// Kept longer than any input lasts: see InternalTopics.KEPT on the Java side.
[[nodiscard]] Materialized counts_kept() {
  return Materialized("counts").with_retention(kKept);
}

constexpr Program kPrograms[] = {
    {"bytes_table_changelog",
     [](dsl::StreamBuilder& builder) {
       static_cast<void>(stream(builder, "in").group_by_key().count(Materialized("counts")));
     }},
    {"bytes_window_changelog",
     [](dsl::StreamBuilder& builder) {
       static_cast<void>(stream(builder, "in")
                             .group_by_key()
                             .windowed_by(dsl::TimeWindows::of_size_and_grace(milliseconds(1000),
                                                                              milliseconds(600)))
                             .count(counts_kept()));
     }},
    {"bytes_session_changelog",
     [](dsl::StreamBuilder& builder) {
       static_cast<void>(stream(builder, "in")
                             .group_by_key()
                             .windowed_by(dsl::SessionWindows::of_inactivity_gap_and_grace(
                                 milliseconds(500), milliseconds(800)))
                             .count(counts_kept()));
     }},
    {"bytes_repartition",
     [](dsl::StreamBuilder& builder) {
       static_cast<void>(
           stream(builder, "in").group_by(letter, {"by-letter"}).count(Materialized("counts")));
     }},
    {"bytes_change_repartition",
     [](dsl::StreamBuilder& builder) {
       static_cast<void>(
           table(builder, "in")
               .group_by([](const Text& /*key*/,
                            const Text& value) { return std::pair(*letter(&value), value); },
                         {"by-letter"})
               .count(Materialized("counts")));
     }},
    {"bytes_join_changelogs",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "left")
           .join(stream(builder, "right"), pair_both,
                 dsl::JoinWindows::of_time_difference_and_grace(milliseconds(500), kKept),
                 dsl::StreamJoined("pairs"))
           .to("out");
     }},
    {"bytes_outer_join_changelog",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "left")
           .outer_join(
               stream(builder, "right"), pair_texts,
               dsl::JoinWindows::of_time_difference_and_grace(milliseconds(500), milliseconds(700)),
               dsl::StreamJoined("pairs"))
           .to("out");
     }},
    {"bytes_foreign_key",
     [](dsl::StreamBuilder& builder) {
       table(builder, "left")
           .left_join(
               table(builder, "right"), [](const Text& value) { return letter(&value); },
               pair_texts, dsl::TableJoined("fk"), Materialized("joined"))
           .to_stream()
           .to("out");
     }},
};

}  // namespace

Programs internal_topics() {
  return kPrograms;
}

}  // namespace penstock::oracle
