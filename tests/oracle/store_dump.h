// What is in a store at the end of a run, as lines (StoreDump on the Java side).
#pragma once

#include <string>
#include <vector>

#include "engine/topology_driver.h"
#include "oracle/golden_file.h"

namespace penstock::oracle {

// Tables in the order of their keys; windows and sessions sorted as text.
[[nodiscard]] std::vector<std::string> store_lines(engine::TopologyDriver& driver,
                                                   const StoreToCompare& store,
                                                   const Profile& profile);

}  // namespace penstock::oracle
