#include "os/process_stats.h"
#include "penstock/command_line.h"

#ifdef PENSTOCK_MIMALLOC
#include <mimalloc.h>

namespace {

// Buffers of some megabytes come and go with every commit and request, and faulting their pages in
// again costs more than filling them. So memory goes back to the system after seconds, not 25 ms.
void keep_freed_memory_for_a_while() {
  constexpr long kDelayMs = 10'000;
  mi_option_set(mi_option_decommit_delay, kDelayMs);
  mi_option_set(mi_option_segment_decommit_delay, kDelayMs);
}

}  // namespace
#endif

int main(int argument_count, char** arguments) {
#ifdef PENSTOCK_MIMALLOC
  keep_freed_memory_for_a_while();
#endif
  penstock::os::raise_open_files_limit();
  return penstock::app::run_command_line(argument_count, arguments);
}
