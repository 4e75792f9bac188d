// Where a byte store keeps its rows.
#pragma once

#include <cstdint>

namespace penstock::store {

enum class StoreType : std::uint8_t {
  kInMemory,
  kRocksDb,  // on a disk; there after a restart
};

}  // namespace penstock::store
