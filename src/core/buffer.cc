#include "core/buffer.h"

#include <cstdlib>
#include <cstring>

#include "core/check.h"

namespace penstock {

Buffer::Buffer(ByteView contents) {
  resize(contents.size());
  if (!contents.empty()) {
    std::memcpy(data_, contents.data(), contents.size());
  }
}

Buffer::~Buffer() {
  std::free(data_);
}

void Buffer::reserve(std::size_t capacity) {
  if (capacity <= capacity_) {
    return;
  }
  // realloc moves large blocks by changing page tables instead of copying.
  auto* moved = static_cast<std::byte*>(std::realloc(data_, capacity));
  PENSTOCK_CHECK(moved != nullptr);  // as everywhere, running out of memory ends the process
  data_ = moved;
  capacity_ = capacity;
}

}  // namespace penstock
