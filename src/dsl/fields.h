// Serde of structs: a type that says its fields can be a key or a value.
//
//   struct Sale {
//     std::string country;
//     std::int64_t cents = 0;
//
//     static constexpr auto kFields = std::tuple(&Sale::country, &Sale::cents);
//   };
//
// Bytes: the fields one after the other. Numbers as Serde writes them; strings as their size
// (uint32) and their bytes; lists as their count (uint32) and their elements; structs as their
// fields. What is added to a type later makes what was stored before malformed: give it a new name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "dsl/serde.h"

namespace penstock::dsl {

template <typename T>
concept HasFields = requires {
  T::kFields;
};

// Calls use(field...) with all fields of `value`.
template <typename T, typename Use>
decltype(auto) with_fields(T& value, Use use) {
  return std::apply([&](auto... member) -> decltype(auto) { return use(value.*member...); },
                    std::remove_const_t<T>::kFields);
}

namespace internal {

template <typename T>
inline constexpr bool kIsList = false;

template <typename T>
inline constexpr bool kIsList<std::vector<T>> = true;

inline void encode_size(std::size_t size, Bytes& to) {
  append_number(static_cast<std::int32_t>(size), to);
}

// An element has at least one byte: a size that is too large is not believed.
[[nodiscard]] inline std::optional<std::size_t> decode_size(ByteView& from) {
  if (from.size() < sizeof(std::uint32_t)) {
    return std::nullopt;
  }
  const auto size = load_be<std::uint32_t>(from.data());
  from = from.subspan(sizeof(std::uint32_t));
  return size <= from.size() ? std::optional<std::size_t>(size) : std::nullopt;
}

template <typename T>
void encode_field(const T& value, Bytes& to) {
  if constexpr (HasFields<T>) {
    with_fields(value, [&](const auto&... field) { (encode_field(field, to), ...); });
  } else if constexpr (kIsList<T>) {
    encode_size(value.size(), to);
    for (const auto& element : value) {
      encode_field(element, to);
    }
  } else if constexpr (std::is_same_v<T, std::string>) {
    encode_size(value.size(), to);
    const ByteView bytes = as_bytes(value);
    to.insert(to.end(), bytes.begin(), bytes.end());
  } else {
    Serde<T>::encode(value, to);
  }
}

template <typename T>
bool decode_field(T& value, ByteView& from) {
  if constexpr (HasFields<T>) {
    return with_fields(value, [&](auto&... field) { return (decode_field(field, from) && ...); });
  } else if constexpr (kIsList<T>) {
    const std::optional<std::size_t> count = decode_size(from);
    value.resize(count.value_or(0));
    bool is_whole = count.has_value();
    for (auto& element : value) {
      is_whole = is_whole && decode_field(element, from);
    }
    return is_whole;
  } else if constexpr (std::is_same_v<T, std::string>) {
    const std::optional<std::size_t> size = decode_size(from);
    if (!size.has_value()) {
      return false;
    }
    value = as_text(from.first(*size));
    from = from.subspan(*size);
    return true;
  } else {
    const std::optional<T> decoded =
        from.size() < sizeof(T) ? std::nullopt : Serde<T>::decode(from.first(sizeof(T)));
    if (!decoded.has_value()) {
      return false;
    }
    value = *decoded;
    from = from.subspan(sizeof(T));
    return true;
  }
}

}  // namespace internal

template <HasFields T>
struct Serde<T> {
  static void encode(const T& value, Bytes& to) { internal::encode_field(value, to); }

  static std::optional<T> decode(ByteView bytes) {
    T value{};
    return internal::decode_field(value, bytes) && bytes.empty() ? std::optional(std::move(value))
                                                                 : std::nullopt;
  }
};

}  // namespace penstock::dsl
