#include "sessions/sessions.h"

#include <chrono>
#include <utility>

#include "dsl/dsl.h"

namespace sessions {

namespace {

using namespace std::chrono_literals;
using namespace penstock::dsl;

Visit merge(const Visit& one, const Visit& other) {
  if (one.views == 0 || other.views == 0) {
    return one.views == 0 ? other : one;
  }
  return {one.views + other.views, one.first.time <= other.first.time ? one.first : other.first,
          one.last.time > other.last.time ? one.last : other.last};
}

}  // namespace

penstock::Result<penstock::topology::Topology> make_topology() {
  StreamBuilder builder({.application_id = "sessions"});
  builder.stream<std::string, View>("views", {.malformed = Malformed::kDrop})
      .group_by_key()
      .windowed_by(SessionWindows::of_inactivity_gap_and_grace(30min, 5min))
      .aggregate([] { return Visit(); },
                 [](const std::string&, const View& view, const Visit& visit) {
                   return merge(visit, Visit{1, view, view});
                 },
                 [](const std::string&, const Visit& one, const Visit& other) {
                   return merge(one, other);
                 },
                 Materialized("visits-by-user"))
      .suppress(Suppressed::until_window_closes("finished-visits"))
      .to_stream()
      .to("visits");
  return std::move(builder).build();
}

}  // namespace sessions
