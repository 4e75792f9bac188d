// InputBuffer holds what was read from a socket and not yet used.
//
// Threads   belongs to one connection.
// Lifetime  views are valid until the next prepare() or release().
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "core/check.h"

namespace penstock::net {

class InputBuffer {
 public:
  [[nodiscard]] ByteView unread() const { return {bytes_.get() + begin_, end_ - begin_}; }

  [[nodiscard]] bool empty() const { return begin_ == end_; }

  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  void consume(std::size_t size) {
    PENSTOCK_DCHECK(size <= end_ - begin_);
    begin_ += size;
    if (begin_ == end_) {
      begin_ = 0;
      end_ = 0;
    }
  }

  // Free bytes behind the unread ones: `size`, or at least half as many where that needs no
  // allocation.
  [[nodiscard]] std::span<std::byte> prepare(std::size_t size) {
    if (capacity_ - end_ < size / 2) {
      make_room(size);
    }
    return {bytes_.get() + end_, capacity_ - end_};
  }

  void commit(std::size_t size) {
    PENSTOCK_DCHECK(size <= capacity_ - end_);
    end_ += size;
  }

  // Forgets everything and gives the memory back.
  void release() {
    bytes_.reset();
    begin_ = 0;
    end_ = 0;
    capacity_ = 0;
  }

 private:
  void make_room(std::size_t size) {
    const std::size_t rest = end_ - begin_;
    if (capacity_ - rest >= size / 2) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, rest);
    } else {
      std::unique_ptr<std::byte[]> larger(new std::byte[rest + size]);
      if (rest > 0) {
        std::memcpy(larger.get(), bytes_.get() + begin_, rest);
      }
      bytes_ = std::move(larger);
      capacity_ = rest + size;
    }
    begin_ = 0;
    end_ = rest;
  }

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace penstock::net
