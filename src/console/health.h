// Health is what the process says of itself: starting, running or stopping. Health checks answer
// from it, together with how the log and the state stores are doing.
//
// Threads   any.
#pragma once

#include "core/guarded.h"

namespace penstock::console {

enum class Phase {
  kStarting,  // not ready: still opening, recovering, restoring
  kRunning,
  kStopping,  // not ready: new work is refused, what is in flight is finished
};

class Health {
 public:
  void set_phase(Phase phase) {
    phase_.with([&](Phase& current) { current = phase; });
  }

  [[nodiscard]] Phase phase() const {
    return phase_.with([](Phase current) { return current; });
  }

 private:
  Guarded<Phase> phase_{Phase::kStarting};
};

}  // namespace penstock::console
