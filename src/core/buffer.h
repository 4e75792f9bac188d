// Buffer owns bytes that are written once, in order, and does not fill them with zeros first.
//
// A std::vector<std::byte> writes every byte twice: zeros when it grows, contents after. On the
// path of an event that is a measurable share. A Buffer's new bytes have no value until they are
// written, so it is for encoders that fill all of what they resize to; for anything else there is
// `Bytes`. It is a contiguous range, so it converts to ByteView.
//
// Threads   a value; no sharing.
#pragma once

#include <cstddef>
#include <utility>

#include "core/bytes.h"

namespace penstock {

class Buffer {
 public:
  using value_type = std::byte;

  Buffer() = default;
  explicit Buffer(ByteView contents);

  Buffer(const Buffer& other) : Buffer(ByteView(other)) {}

  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}

  Buffer& operator=(Buffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  ~Buffer();

  [[nodiscard]] std::byte* data() { return data_; }

  [[nodiscard]] const std::byte* data() const { return data_; }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  [[nodiscard]] bool empty() const { return size_ == 0; }

  [[nodiscard]] std::byte* begin() { return data_; }

  [[nodiscard]] std::byte* end() { return data_ + size_; }

  [[nodiscard]] const std::byte* begin() const { return data_; }

  [[nodiscard]] const std::byte* end() const { return data_ + size_; }

  [[nodiscard]] std::byte& operator[](std::size_t index) { return data_[index]; }

  [[nodiscard]] const std::byte& operator[](std::size_t index) const { return data_[index]; }

  // Keeps the contents. Never gives memory back.
  void reserve(std::size_t capacity);

  // Bytes past the old size have no value yet.
  void resize(std::size_t size) {
    if (size > capacity_) {
      reserve(size);
    }
    size_ = size;
  }

  // Size 0; the memory stays.
  void clear() { size_ = 0; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

[[nodiscard]] inline bool operator==(const Buffer& left, const Buffer& right) {
  return as_text(left) == as_text(right);
}

}  // namespace penstock
