// SpillStore is where events wait on this machine's disk while the log cannot be reached.
//
// It is kept in generations: each is a log of its own, used from one outage to the end of the next.
// When all of one is shipped, the next one is opened and the old one removed, so its disk space
// comes back without deleting from within a log.
//
// Threads   one at a time; a generation's log as log/log.h says.
// Lifetime  generations are destroyed before the store, and before they are removed.
// Errors    what opening a log gives; kFatal if the disk fails
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "log/log.h"

namespace penstock::gateway {

class SpillGeneration {
 public:
  virtual ~SpillGeneration() = default;
  [[nodiscard]] virtual log::Log& log() = 0;
};

class SpillStore {
 public:
  virtual ~SpillStore() = default;

  // Made at random once and kept with the data: it tells this gateway from all others.
  [[nodiscard]] virtual std::string_view gateway_id() const = 0;
  // Those that exist, oldest first.
  [[nodiscard]] virtual Result<std::vector<std::uint64_t>> generations() = 0;
  // Made if it does not exist.
  [[nodiscard]] virtual Result<std::unique_ptr<SpillGeneration>> open(std::uint64_t number) = 0;
  [[nodiscard]] virtual Status remove(std::uint64_t number) = 0;
};

}  // namespace penstock::gateway
