// Golden files that ours is not compared with, each with its reason. Shown by every run of the
// test.
#include "oracle/program.h"

namespace penstock::oracle {

std::span<const Exempt> exempt() {
  return {};
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
