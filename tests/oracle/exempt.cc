// Golden files that ours is not compared with, each with its reason. Shown by every run of the
// test.
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

constexpr std::string_view kNoCache = "no record cache yet: every change is handed on";
constexpr std::string_view kNoGlobalTables = "no global tables yet";

constexpr Exempt kExempt[] = {
    {"aggregate_aggregate_to_null_cached", kNoCache},
    {"foreign_key_inner_cached", kNoCache},
    {"foreign_key_left_cached", kNoCache},
    {"table_source_cached", kNoCache},
    {"windows_tumbling_count_cached", kNoCache},
    {"windows_hopping_count_cached", kNoCache},
    {"windows_tumbling_reduce_cached", kNoCache},
    {"sessions_count_cached", kNoCache},
    {"sessions_aggregate_cached", kNoCache},
    {"sliding_count_cached", kNoCache},
    {"suppress_session_cached", kNoCache},
    {"suppress_time_limit_cached", kNoCache},
    {"table_join_inner_cached", kNoCache},
    {"table_join_left_cached", kNoCache},
    {"table_join_outer_cached", kNoCache},
    {"global_table_inner", kNoGlobalTables},
    {"global_table_left", kNoGlobalTables},
    {"global_table_by_key", kNoGlobalTables},
    {"global_table_inner_key", kNoGlobalTables},
};

}  // namespace

std::span<const Exempt> exempt() {
  return kExempt;
}

std::vector<Program> all_programs() {
  std::vector<Program> all;
  for (const Programs& group :
       {stateless(), repartitions(), aggregates(), tables(), windows(), sessions(), sliding(),
        suppression(), emit_on_close(), stream_joins(), stream_table_joins(), table_joins(),
        foreign_key_joins(), global_tables(), cogroups(), versioned(), processors(),
        internal_topics()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace penstock::oracle
