// How keys are kept while something waits under them: as their serde writes them, and a windowed
// key with its end, which its serde leaves out.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "dsl/typed_stores.h"
#include "dsl/windows.h"

namespace penstock::dsl {

template <typename K>
concept WindowedKey = requires(const K& key) {
  { key.window } -> std::convertible_to<Window>;
};

template <typename K>
[[nodiscard]] std::string encode_waiting_key(const K& key) {
  Bytes bytes;
  Serde<K>::encode(key, bytes);
  if constexpr (WindowedKey<K>) {
    internal::append_number(key.window.end.value(), bytes);
  }
  return std::string(as_text(bytes));
}

template <typename K>
[[nodiscard]] K decode_waiting_key(std::string_view text) {
  ByteView bytes = as_bytes(text);
  if constexpr (WindowedKey<K>) {
    const ByteView end = bytes.last(sizeof(std::int64_t));
    K key = internal::decode_own<K>(bytes.first(bytes.size() - end.size()));
    key.window.end = Timestamp(load_be<std::int64_t>(end.data()));
    return key;
  } else {
    return internal::decode_own<K>(bytes);
  }
}

template <typename K>
inline constexpr std::size_t kWaitingKeyExtra = WindowedKey<K> ? sizeof(std::int64_t) : 0;

}  // namespace penstock::dsl
