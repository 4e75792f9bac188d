// Checks for programmer errors: they stop the process with file, line and the broken condition.
//
// Operating errors (bad input, full disk, lost connection) are values, see result.h. A check is
// for what can only be wrong if our own code is wrong. On an exactly-once path a crash is a retry,
// a wrong guess is data loss.
//
// PENSTOCK_CHECK is always on. PENSTOCK_DCHECK is for hot loops and compiled out with NDEBUG.
#pragma once

namespace penstock {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace penstock

#define PENSTOCK_CHECK(condition)                               \
  do {                                                          \
    if (!(condition)) [[unlikely]] {                            \
      ::penstock::check_failed(#condition, __FILE__, __LINE__); \
    }                                                           \
  } while (false)

#ifdef NDEBUG
#define PENSTOCK_DCHECK(condition) static_cast<void>(sizeof(!(condition)))
#else
#define PENSTOCK_DCHECK(condition) PENSTOCK_CHECK(condition)
#endif
