// PaddedBuffer is a growable run of bytes with 64 readable bytes behind it, for SIMD readers.
//
// A body is received straight into it and scanned in place: vector code may read past the last
// byte without leaving the allocation. Memory is not filled with zeros, and clear() keeps it, so a
// recycled buffer costs nothing.
//
//   std::span<std::byte> room = buffer.prepare(64 * kKiB);
//   buffer.commit(socket.read(room));
//
// Invariants
//   I1  data() has size() bytes, and kPadding more that may be read; what those hold is undefined.
// Threads   belongs to one thread at a time.
// Lifetime  views and spans are valid until the next prepare(), reserve(), append() or release().
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "core/check.h"

namespace penstock {

class PaddedBuffer {
 public:
  static constexpr std::size_t kPadding = 64;

  PaddedBuffer() = default;

  explicit PaddedBuffer(std::string_view text) { append(as_bytes(text)); }

  PaddedBuffer(PaddedBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}

  PaddedBuffer& operator=(PaddedBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] bool empty() const { return size_ == 0; }

  // Bytes it can hold without allocating; the padding is not counted.
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  [[nodiscard]] const std::byte* data() const { return bytes_.get(); }

  [[nodiscard]] ByteView view() const { return {bytes_.get(), size_}; }

  [[nodiscard]] std::string_view text() const { return as_text(view()); }

  // Forgets the contents and keeps the memory.
  void clear() { size_ = 0; }

  // Forgets the contents and gives the memory back.
  void release() { *this = PaddedBuffer(); }

  // Makes capacity() at least `capacity`, exactly that if it has to allocate.
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) {
      reallocate(capacity);
    }
  }

  // At least `size` writable bytes behind the contents; commit() makes them contents.
  [[nodiscard]] std::span<std::byte> prepare(std::size_t size) {
    if (capacity_ - size_ < size) {
      reallocate(size_ + size > 2 * capacity_ ? size_ + size : 2 * capacity_);
    }
    return {bytes_.get() + size_, capacity_ - size_};
  }

  void commit(std::size_t size) {
    PENSTOCK_DCHECK(size <= capacity_ - size_);
    size_ += size;
  }

  void append(ByteView bytes) {
    if (!bytes.empty()) {
      std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
      size_ += bytes.size();
    }
  }

 private:
  void reallocate(std::size_t capacity) {
    std::unique_ptr<std::byte[]> larger(new std::byte[capacity + kPadding]);
    if (size_ > 0) {
      std::memcpy(larger.get(), bytes_.get(), size_);
    }
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace penstock
