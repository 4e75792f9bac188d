// Several streams in one aggregate.
#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

[[nodiscard]] auto cogroup(dsl::StreamBuilder& builder) {
  return stream(builder, "left")
      .group_by_key()
      .cogroup(append)
      .cogroup(stream(builder, "right").group_by_key(),
               [](const Text& key, const Text* value, const Text& old) {
                 return append(key, value, old) + "'";
               });
}

void plain(dsl::StreamBuilder& builder) {
  cogroup(builder).aggregate(empty_text, Materialized("texts")).to_stream().to("out");
}

constexpr Program kPrograms[] = {
    {"cogroup_plain", plain},
    {"cogroup_plain_cached", plain},
    {"cogroup_tumbling",
     [](dsl::StreamBuilder& builder) {
       cogroup(builder)
           .windowed_by(dsl::TimeWindows::of_size_and_grace(milliseconds(1000), milliseconds(600)))
           .aggregate(empty_text, Materialized("texts"))
           .to_stream()
           .to("out");
     }},
    {"cogroup_sliding",
     [](dsl::StreamBuilder& builder) {
       cogroup(builder)
           .windowed_by(dsl::SlidingWindows::of_time_difference_and_grace(milliseconds(700),
                                                                          milliseconds(900)))
           .aggregate(empty_text, Materialized("texts"))
           .to_stream()
           .to("out");
     }},
    {"cogroup_session",
     [](dsl::StreamBuilder& builder) {
       cogroup(builder)
           .windowed_by(dsl::SessionWindows::of_inactivity_gap_and_grace(milliseconds(500),
                                                                         milliseconds(800)))
           .aggregate(empty_text, merge, Materialized("texts"))
           .to_stream()
           .to("out");
     }},
};

}  // namespace

Programs cogroups() {
  return kPrograms;
}

}  // namespace penstock::oracle
