// Streams joined with streams, in windows.
#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

using dsl::JoinWindows;
using dsl::StreamJoined;

[[nodiscard]] JoinWindows no_grace() {
  return JoinWindows::of_time_difference_with_no_grace(milliseconds(500));
}

[[nodiscard]] JoinWindows with_grace() {
  return JoinWindows::of_time_difference_and_grace(milliseconds(500), milliseconds(700));
}

// Only right records that are older by 200 to 800 ms.
[[nodiscard]] JoinWindows before() {
  return with_grace().before(milliseconds(800)).after(milliseconds(-200));
}

[[nodiscard]] JoinWindows after() {
  return with_grace().before(milliseconds(0)).after(milliseconds(600));
}

[[nodiscard]] StreamJoined joined() {
  return StreamJoined("pairs");
}

void inner(dsl::StreamBuilder& builder, const JoinWindows& windows) {
  stream(builder, "left").join(stream(builder, "right"), pair_both, windows, joined()).to("out");
}

void left(dsl::StreamBuilder& builder, const JoinWindows& windows) {
  stream(builder, "left")
      .left_join(stream(builder, "right"), pair_texts, windows, joined())
      .to("out");
}

void outer(dsl::StreamBuilder& builder, const JoinWindows& windows) {
  stream(builder, "left")
      .outer_join(stream(builder, "right"), pair_texts, windows, joined())
      .to("out");
}

void outer_with_grace(dsl::StreamBuilder& builder) {
  outer(builder, with_grace());
}

void outer_no_grace(dsl::StreamBuilder& builder) {
  outer(builder, no_grace());
}

constexpr Program kPrograms[] = {
    {"stream_join_inner", [](dsl::StreamBuilder& builder) { inner(builder, no_grace()); }},
    {"stream_join_inner_grace", [](dsl::StreamBuilder& builder) { inner(builder, with_grace()); }},
    {"stream_join_inner_key",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "left")
           .join(
               stream(builder, "right"),
               [](const Text& key, const Text& left, const Text& right) {
                 return key + ":" + pair_both(left, right);
               },
               with_grace(), joined())
           .to("out");
     }},
    {"stream_join_left", [](dsl::StreamBuilder& builder) { left(builder, no_grace()); }},
    {"stream_join_left_grace", [](dsl::StreamBuilder& builder) { left(builder, with_grace()); }},
    {"stream_join_outer", outer_no_grace},
    {"stream_join_outer_grace", outer_with_grace},
    {"stream_join_before", [](dsl::StreamBuilder& builder) { inner(builder, before()); }},
    {"stream_join_left_before", [](dsl::StreamBuilder& builder) { left(builder, before()); }},
    {"stream_join_outer_after", [](dsl::StreamBuilder& builder) { outer(builder, after()); }},
    {"stream_join_repartitioned",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "left")
           .select_key(letter)
           .join(stream(builder, "right"), pair_both, with_grace(), joined())
           .to("out");
     }},
    {"stream_join_outer_headers", outer_with_grace},
    {"stream_join_outer_interval", outer_no_grace},
    {"stream_join_self",
     [](dsl::StreamBuilder& builder) {
       const auto in = stream(builder, "in");
       in.join(in, pair_both, with_grace(), joined()).to("out");
     }},
    {"stream_join_three",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "left")
           .join(stream(builder, "right"), pair_both, with_grace(), joined())
           .left_join(stream(builder, "third"), pair_texts, with_grace(), StreamJoined("second"))
           .to("out");
     }},
};

}  // namespace

Programs stream_joins() {
  return kPrograms;
}

}  // namespace penstock::oracle
