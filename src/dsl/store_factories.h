// How the stores of a topology are made: in memory or in RocksDB, as the context says.
//
// Threads   any: a factory has no state of its own.
#pragma once

#include <optional>
#include <string>

#include "dsl/options.h"
#include "dsl/windows.h"
#include "topology/topology.h"

namespace penstock::dsl {

[[nodiscard]] topology::StoreFactory key_value_store(std::string name);
[[nodiscard]] topology::StoreFactory versioned_store(std::string name, Duration history);
// Of a table: of one of the two kinds above.
[[nodiscard]] topology::StoreFactory table_store(const Materialized& materialized);
// Windows of `size`; of a key and start one value.
[[nodiscard]] topology::StoreFactory window_store(std::string name, Duration size,
                                                  Duration retention);
// Of a key and time all values.
[[nodiscard]] topology::StoreFactory join_window_store(std::string name,
                                                       const JoinWindows& windows);
[[nodiscard]] topology::StoreFactory session_store(std::string name, Duration retention);

// In that kind of store, whatever the context says. Absent: as it says.
[[nodiscard]] topology::StoreFactory stored_as(std::optional<StoreType> type,
                                               topology::StoreFactory factory);

}  // namespace penstock::dsl
