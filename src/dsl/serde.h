// Serde<T> says how a T is written to topics and stores, and read from them.
//
// A specialisation has two static functions; to use a type of your own in a topology, write one:
//
//   template <>
//   struct penstock::dsl::Serde<Order> {
//     static void encode(const Order& order, Bytes& to);          // appends
//     static std::optional<Order> decode(ByteView bytes);         // nothing: malformed
//   };
//
// Those here write the bytes that Kafka's serdes of the same type write: strings as UTF-8, numbers
// big-endian (LongSerde is int64_t, IntegerSerde int32_t, ShortSerde int16_t, DoubleSerde double,
// FloatSerde float, BooleanSerde bool). A type has one format: for a second one make a second type.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/bytes.h"

namespace penstock::dsl {

template <typename T>
struct Serde;

// What can be a key or value.
template <typename T>
concept Serializable = requires(const T& value, Bytes& to, ByteView bytes) {
  Serde<T>::encode(value, to);
  { Serde<T>::decode(bytes) } -> std::same_as<std::optional<T>>;
};

template <>
struct Serde<std::string> {
  static void encode(const std::string& text, Bytes& to) {
    const ByteView bytes = as_bytes(text);
    to.insert(to.end(), bytes.begin(), bytes.end());
  }

  static std::optional<std::string> decode(ByteView bytes) { return std::string(as_text(bytes)); }
};

template <>
struct Serde<Bytes> {
  static void encode(const Bytes& bytes, Bytes& to) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  }

  static std::optional<Bytes> decode(ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); }
};

namespace internal {

template <std::integral T>
void append_number(T number, Bytes& to) {
  to.resize(to.size() + sizeof(T));
  store_be<T>(to.data() + to.size() - sizeof(T), number);
}

template <std::integral T>
struct IntegerSerde {
  static void encode(T number, Bytes& to) { append_number(number, to); }

  static std::optional<T> decode(ByteView bytes) {
    return bytes.size() == sizeof(T) ? std::optional(load_be<T>(bytes.data())) : std::nullopt;
  }
};

template <std::floating_point T, std::integral Bits>
struct FloatSerde {
  static void encode(T number, Bytes& to) { append_number(std::bit_cast<Bits>(number), to); }

  static std::optional<T> decode(ByteView bytes) {
    return bytes.size() == sizeof(T) ? std::optional(std::bit_cast<T>(load_be<Bits>(bytes.data())))
                                     : std::nullopt;
  }
};

// What Kafka's list serde writes without sizes.
template <typename T>
inline constexpr bool kHasFixedSize = std::is_arithmetic_v<T> && sizeof(T) > 1;

// Takes a number off the beginning; absent: cut short.
[[nodiscard]] inline std::optional<std::int32_t> take_int32(ByteView& bytes) {
  if (bytes.size() < sizeof(std::int32_t)) {
    return std::nullopt;
  }
  const auto number = load_be<std::int32_t>(bytes.data());
  bytes = bytes.subspan(sizeof(std::int32_t));
  return number;
}

}  // namespace internal

template <>
struct Serde<std::int16_t> : internal::IntegerSerde<std::int16_t> {};

template <>
struct Serde<std::int32_t> : internal::IntegerSerde<std::int32_t> {};

template <>
struct Serde<std::int64_t> : internal::IntegerSerde<std::int64_t> {};

template <>
struct Serde<double> : internal::FloatSerde<double, std::int64_t> {};

template <>
struct Serde<float> : internal::FloatSerde<float, std::int32_t> {};

template <>
struct Serde<bool> {
  static void encode(bool value, Bytes& to) { to.push_back(std::byte{value}); }

  static std::optional<bool> decode(ByteView bytes) {
    return bytes.size() == 1 && static_cast<unsigned>(bytes[0]) <= 1
               ? std::optional(bytes[0] != std::byte{0})
               : std::nullopt;
  }
};

// As Kafka's ListSerializer, of lists without nulls:
//   0 | int32 0 | int32 count | elements                  of numbers
//   1 | int32 count | (int32 size | element)...           of everything else
template <Serializable T>

requires(!std::same_as<T, std::byte>) struct Serde<std::vector<T>> {
  static void encode(const std::vector<T>& list, Bytes& to) {
    to.push_back(kKind);
    if constexpr (kIsFixed) {
      internal::append_number(std::int32_t{0}, to);  // so many are null
    }
    internal::append_number(static_cast<std::int32_t>(list.size()), to);
    for (const T& element : list) {
      const std::size_t at = to.size();
      if constexpr (!kIsFixed) {
        to.resize(at + sizeof(std::int32_t));
      }
      Serde<T>::encode(element, to);
      if constexpr (!kIsFixed) {
        store_be(to.data() + at, static_cast<std::int32_t>(to.size() - at - sizeof(std::int32_t)));
      }
    }
  }

  static std::optional<std::vector<T>> decode(ByteView bytes) {
    if (bytes.empty() || bytes[0] != kKind) {
      return std::nullopt;
    }
    bytes = bytes.subspan(1);
    if (kIsFixed && internal::take_int32(bytes) != 0) {
      return std::nullopt;
    }
    const std::optional<std::int32_t> count = internal::take_int32(bytes);
    std::vector<T> list;
    for (std::int32_t number = 0; number < count.value_or(0); ++number) {
      const std::optional<std::int32_t> size =
          kIsFixed ? std::optional(std::int32_t{sizeof(T)}) : internal::take_int32(bytes);
      if (!size.has_value() || *size < 0 || static_cast<std::size_t>(*size) > bytes.size()) {
        return std::nullopt;
      }
      std::optional<T> element = Serde<T>::decode(bytes.first(static_cast<std::size_t>(*size)));
      if (!element.has_value()) {
        return std::nullopt;
      }
      list.push_back(*std::move(element));
      bytes = bytes.subspan(static_cast<std::size_t>(*size));
    }
    return count.has_value() && *count >= 0 && bytes.empty() ? std::optional(std::move(list))
                                                             : std::nullopt;
  }

 private:
  static constexpr bool kIsFixed = internal::kHasFixedSize<T>;
  static constexpr std::byte kKind{kIsFixed ? 0 : 1};
};

}  // namespace penstock::dsl
