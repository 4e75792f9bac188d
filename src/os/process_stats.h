// What the operating system says about this process: memory, processor time, open files.
//
// Source: Linux proc(5): /proc/self/statm, /proc/self/fd; getrusage(2).
//
// Threads   any.
#pragma once

#include <cstdint>

namespace penstock::os {

struct ProcessStats {
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;  // user and system, of all threads
  std::uint64_t open_files = 0;
};

// Figures that cannot be read are 0.
[[nodiscard]] ProcessStats process_stats();

}  // namespace penstock::os
