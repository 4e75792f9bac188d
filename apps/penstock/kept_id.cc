#include "penstock/kept_id.h"

#include <cstdint>
#include <string_view>

#include "core/bytes.h"

namespace penstock::app {
namespace {

std::string random_id(os::Random& random) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string id;
  for (std::uint64_t bits = random.next(); id.size() < kKeptIdSize; bits >>= 4) {
    id += kHex[bits & 0xf];
  }
  return id;
}

}  // namespace

Result<std::string> kept_id(os::FileSystem& files, const std::string& file, os::Random& random) {
  PENSTOCK_TRY_ASSIGN(const bool exists, files.exists(file));
  if (!exists) {
    std::string id = random_id(random);
    PENSTOCK_TRY(os::write_file_atomically(files, file, as_bytes(id)));
    return id;
  }
  PENSTOCK_TRY_ASSIGN(const Bytes contents, os::read_file(files, file));
  return std::string(as_text(contents));
}

}  // namespace penstock::app
