// A Redis key as one writes it in a sink's `key`: text with values of the event in it.
//
//   "user:%{/user/id}"            a value of the event, by JSON Pointer
//   "last:%{key}"                 the record's key
//   "{app:%{partition}}:%{key}"   the number of the partition, here in a hash tag
//
// Redis Cluster puts keys with the same hash tag, what is between the first "{" and the next "}",
// into the same slot. "%%" is a "%".
//
// Threads   plain values; any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::config {

struct TemplatePart {
  enum class Kind { kText, kValue, kKey, kPartition };

  Kind kind = Kind::kText;
  std::string text;  // the text, or the JSON Pointer

  friend bool operator==(const TemplatePart&, const TemplatePart&) = default;
};

using KeyTemplate = std::vector<TemplatePart>;

// Nothing if it is not of that form, or empty.
[[nodiscard]] std::optional<KeyTemplate> parse_key_template(std::string_view text);

// The hash tag of all keys of a partition. Nothing if there is none, or if it depends on the event.
[[nodiscard]] std::optional<std::string> hash_tag(const KeyTemplate& key, std::int32_t partition);

// A field of a hash as one writes it in a sink's `fields`: "/user/name:name". The empty pointer is
// the whole event.
struct HashField {
  std::string pointer;
  std::string name;

  friend bool operator==(const HashField&, const HashField&) = default;
};

// Nothing if it is not of that form.
[[nodiscard]] std::optional<HashField> parse_hash_field(std::string_view text);

}  // namespace penstock::config
