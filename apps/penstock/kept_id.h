// An id that is made at random once and kept in a file, to tell this data directory from others.
//
// Threads   one.
// Errors    what the file system gives
#pragma once

#include <cstddef>
#include <string>

#include "core/result.h"
#include "os/file_system.h"
#include "os/random.h"

namespace penstock::app {

inline constexpr std::size_t kKeptIdSize = 16;  // 64 bits, as hexadecimal digits

// What the file holds; if there is none, a new id, which is in it afterwards. Its folder must
// exist.
[[nodiscard]] Result<std::string> kept_id(os::FileSystem& files, const std::string& file,
                                          os::Random& random);

}  // namespace penstock::app
