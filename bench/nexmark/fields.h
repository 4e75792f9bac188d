// Structs of numbers, strings and lists: one way to write them as bytes and as text.
//
// A struct that says its members gets a Serde, and to_text(), which puts '|' between fields and ','
// between the elements of a list:
//
//   struct Total {
//     std::int64_t id = 0;
//     std::string name;
//     static constexpr auto kFields = std::tuple(&Total::id, &Total::name);
//   };
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "core/bytes.h"
#include "dsl/serde.h"

namespace penstock::nexmark {

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

// int64 big-endian; size (uint32) and characters; count (uint32) and elements; fields one by one.
template <typename T>
void encode_field(const T& value, Bytes& to);

template <typename T>
[[nodiscard]] bool decode_field(T& value, ByteView& from);

template <typename T>
void add_text(const T& value, std::string& to);

namespace internal {

inline void encode_size(std::size_t size, Bytes& to) {
  to.resize(to.size() + sizeof(std::uint32_t));
  store_be(to.data() + to.size() - sizeof(std::uint32_t), static_cast<std::uint32_t>(size));
}

[[nodiscard]] inline std::optional<std::size_t> decode_size(ByteView& from) {
  if (from.size() < sizeof(std::uint32_t)) {
    return std::nullopt;
  }
  const auto size = load_be<std::uint32_t>(from.data());
  from = from.subspan(sizeof(std::uint32_t));
  // An element has at least one byte: a size that is too large is not believed.
  return size <= from.size() ? std::optional<std::size_t>(size) : std::nullopt;
}

template <typename T>
inline constexpr bool kIsList = false;

template <typename T>
inline constexpr bool kIsList<std::vector<T>> = true;

}  // namespace internal

template <typename T>
void encode_field(const T& value, Bytes& to) {
  if constexpr (HasFields<T>) {
    with_fields(value, [&](const auto&... field) { (encode_field(field, to), ...); });
  } else if constexpr (internal::kIsList<T>) {
    internal::encode_size(value.size(), to);
    for (const auto& element : value) {
      encode_field(element, to);
    }
  } else if constexpr (std::is_same_v<T, std::string>) {
    internal::encode_size(value.size(), to);
    const ByteView bytes = as_bytes(value);
    to.insert(to.end(), bytes.begin(), bytes.end());
  } else {
    dsl::Serde<T>::encode(value, to);
  }
}

template <typename T>
bool decode_field(T& value, ByteView& from) {
  if constexpr (HasFields<T>) {
    return with_fields(value, [&](auto&... field) { return (decode_field(field, from) && ...); });
  } else if constexpr (internal::kIsList<T>) {
    const std::optional<std::size_t> count = internal::decode_size(from);
    value.resize(count.value_or(0));
    bool is_whole = count.has_value();
    for (auto& element : value) {
      is_whole = is_whole && decode_field(element, from);
    }
    return is_whole;
  } else if constexpr (std::is_same_v<T, std::string>) {
    const std::optional<std::size_t> size = internal::decode_size(from);
    if (!size.has_value()) {
      return false;
    }
    value = as_text(from.first(*size));
    from = from.subspan(*size);
    return true;
  } else {
    const std::optional<T> decoded =
        from.size() < sizeof(T) ? std::nullopt : dsl::Serde<T>::decode(from.first(sizeof(T)));
    if (!decoded.has_value()) {
      return false;
    }
    value = *decoded;
    from = from.subspan(sizeof(T));
    return true;
  }
}

template <typename T>
void add_text(const T& value, std::string& to) {
  if constexpr (HasFields<T>) {
    const char* before = "";
    with_fields(value, [&](const auto&... field) {
      ((to += before, add_text(field, to), before = "|"), ...);
    });
  } else if constexpr (internal::kIsList<T>) {
    const char* before = "";
    for (const auto& element : value) {
      to += before;
      add_text(element, to);
      before = ",";
    }
  } else if constexpr (std::is_same_v<T, std::string>) {
    to += value;
  } else {
    to += std::to_string(value);
  }
}

template <typename T>
[[nodiscard]] std::string to_text(const T& value) {
  std::string text;
  add_text(value, text);
  return text;
}

}  // namespace penstock::nexmark

template <penstock::nexmark::HasFields T>
struct penstock::dsl::Serde<T> {
  static void encode(const T& value, Bytes& to) { nexmark::encode_field(value, to); }

  static std::optional<T> decode(ByteView bytes) {
    T value{};
    return nexmark::decode_field(value, bytes) && bytes.empty() ? std::optional(std::move(value))
                                                                : std::nullopt;
  }
};
