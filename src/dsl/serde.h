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

// int32 size and bytes of each element. (Kafka's list serde has a form of its own.)
template <Serializable T>

requires(!std::same_as<T, std::byte>) struct Serde<std::vector<T>> {
  static void encode(const std::vector<T>& list, Bytes& to) {
    for (const T& element : list) {
      const std::size_t at = to.size();
      to.resize(at + sizeof(std::uint32_t));
      Serde<T>::encode(element, to);
      store_be(to.data() + at, static_cast<std::uint32_t>(to.size() - at - sizeof(std::uint32_t)));
    }
  }

  static std::optional<std::vector<T>> decode(ByteView bytes) {
    std::vector<T> list;
    while (!bytes.empty()) {
      if (bytes.size() < sizeof(std::uint32_t)) {
        return std::nullopt;
      }
      const std::size_t size = load_be<std::uint32_t>(bytes.data());
      bytes = bytes.subspan(sizeof(std::uint32_t));
      std::optional<T> element =
          size <= bytes.size() ? Serde<T>::decode(bytes.first(size)) : std::nullopt;
      if (!element.has_value()) {
        return std::nullopt;
      }
      list.push_back(*std::move(element));
      bytes = bytes.subspan(size);
    }
    return list;
  }
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

}  // namespace penstock::dsl
