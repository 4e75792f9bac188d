#include "store/ordered_key.h"

#include "core/bytes.h"
#include "core/check.h"

namespace penstock::store {

namespace {

constexpr std::string_view kEnd("\0\0", 2);
constexpr std::string_view kZero("\0\xff", 2);
constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

template <typename T>
void append_big_endian(std::string& to, T number) {
  std::byte bytes[sizeof(T)];
  store_be<T>(bytes, number);
  to += as_text(bytes);
}

template <typename T>
T take_big_endian(std::string_view& from) {
  PENSTOCK_CHECK(from.size() >= sizeof(T));
  const T number = load_be<T>(as_bytes(from).data());
  from.remove_prefix(sizeof(T));
  return number;
}

}  // namespace

void append_ordered(std::string& to, std::string_view bytes) {
  for (std::size_t zero = bytes.find('\0'); zero != std::string_view::npos;
       zero = bytes.find('\0')) {
    to += bytes.substr(0, zero);
    to += kZero;
    bytes.remove_prefix(zero + 1);
  }
  to += bytes;
  to += kEnd;
}

void append_ordered(std::string& to, std::int64_t number) {
  append_big_endian(to, static_cast<std::uint64_t>(number) ^ kSignBit);
}

void append_ordered(std::string& to, std::uint32_t number) {
  append_big_endian(to, number);
}

std::string take_ordered_bytes(std::string_view& from) {
  std::string bytes;
  while (true) {
    const std::size_t zero = from.find('\0');
    PENSTOCK_CHECK(zero != std::string_view::npos && zero + 1 < from.size());
    bytes += from.substr(0, zero);
    const bool is_end = from[zero + 1] == '\0';
    from.remove_prefix(zero + 2);
    if (is_end) {
      return bytes;
    }
    bytes += '\0';
  }
}

std::int64_t take_ordered_int64(std::string_view& from) {
  return static_cast<std::int64_t>(take_big_endian<std::uint64_t>(from) ^ kSignBit);
}

std::uint32_t take_ordered_uint32(std::string_view& from) {
  return take_big_endian<std::uint32_t>(from);
}

}  // namespace penstock::store
