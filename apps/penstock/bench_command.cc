// penstock bench: see bench/bench.h.
#include "os/clock.h"
#include "os/file_system.h"
#include "penstock/bench/bench.h"
#include "penstock/commands.h"

namespace penstock::app {

int run_bench(const bench::BenchOptions& options) {
  const os::RealClock clock;
  const auto files = os::make_posix_file_system();
  // The server is started from the very program that measures.
  return bench::run_bench(options, "/proc/self/exe", clock, *files);
}

}  // namespace penstock::app
