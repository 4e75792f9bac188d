// Run plays one input through a topology and writes down what comes out, as the Java side does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "oracle/golden_file.h"
#include "oracle/program.h"

namespace penstock::oracle {

struct Run {
  std::vector<std::string> all;  // the lines below in order of time, and the number of drops
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<std::string> stores;
  std::uint64_t dropped = 0;

  [[nodiscard]] Digests digests() const;
};

// What is done to the tasks while they work; it must not show in what comes out.
enum class Disturbance : std::uint8_t {
  kNone,
  kAborts,            // each record is processed, taken back, and processed again
  kAbortsAndRestarts  // and after every fifth, instead of a commit, all tasks begin anew
};

[[nodiscard]] Result<Run> play(const GoldenFile& golden, const Program& program, int seed,
                               Disturbance disturbance = Disturbance::kNone);

}  // namespace penstock::oracle
