// ByteWriter and ByteReader put and get little-endian numbers and length-prefixed text.
//
// For the small entries of the log and for its index files; batches take a faster way.
//
// Threads   values; no sharing.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "core/bytes.h"

namespace penstock::wal {

class ByteWriter {
 public:
  explicit ByteWriter(Bytes& to) : to_(to) {}

  template <std::integral T>
  void put(T value) {
    const std::size_t at = to_.size();
    to_.resize(at + sizeof(T));
    store_le(to_.data() + at, value);
  }

  void put_bytes(ByteView bytes) { to_.insert(to_.end(), bytes.begin(), bytes.end()); }

  void put_text(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    put_bytes(as_bytes(text));
  }

 private:
  Bytes& to_;
};

// After a read past the end everything answers zero or empty, and ok() is false: check it once.
class ByteReader {
 public:
  explicit ByteReader(ByteView from) : rest_(from) {}

  template <std::integral T>
  [[nodiscard]] T get() {
    const ByteView bytes = get_bytes(sizeof(T));
    return bytes.empty() ? T{} : load_le<T>(bytes.data());
  }

  [[nodiscard]] ByteView get_bytes(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const ByteView bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return bytes;
  }

  [[nodiscard]] std::string_view get_text() { return as_text(get_bytes(get<std::uint32_t>())); }

  [[nodiscard]] ByteView rest() const { return rest_; }

  [[nodiscard]] bool ok() const { return ok_; }

  // Everything was there, and nothing is left.
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace penstock::wal
