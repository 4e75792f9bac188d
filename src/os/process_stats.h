// What the operating system says about this process, and lets it have: memory, processor time, open
// files.
//
// Source: Linux proc(5): /proc/self/statm, /proc/self/fd; getrusage(2), setrlimit(2).
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

// Takes as many open files as the administrator allows: most shells start programs with a limit of
// 1,024, which a server's connections exceed. Returns how many it may have now.
std::uint64_t raise_open_files_limit();

}  // namespace penstock::os
