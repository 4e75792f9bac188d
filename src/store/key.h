// KeyView is a group key as stores, changelogs and repartition topics have it: bytes and a tag.
//
// Most keys have one part, and then the bytes are its text as it stands in the record's key: no
// copy on the hot path. The tag says what the text is, so that 200 and "200" are different keys.
// A key of several parts (or of none) is kComposite; its bytes hold for each part: kind (1 byte),
// length (varint), text.
// Where a key must be one string of bytes (changelog, repartition topic) the tag byte comes first.
//
// Lifetime  a KeyView does not own its bytes.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "store/query.h"

namespace penstock::store {

// The first five are KeyPart::Kind's; the numbers stand in changelogs and never change.
enum class KeyTag : std::uint8_t {
  kNull = 0,
  kFalse = 1,
  kTrue = 2,
  kNumber = 3,
  kString = 4,
  kComposite = 5,
};

struct KeyView {
  ByteView bytes;
  KeyTag tag = KeyTag::kString;
};

// A KeyView with its own memory.
struct Key {
  Bytes bytes;
  KeyTag tag = KeyTag::kString;

  [[nodiscard]] KeyView view() const { return {bytes, tag}; }
};

// Adds one part to the bytes of a composite key.
void append_composite_part(Bytes& composite, KeyPart::Kind kind, std::string_view text);

// kInvalid if a composite key is malformed.
[[nodiscard]] Result<std::vector<KeyPart>> key_parts(KeyView key);

// Whether `text` is a number as JSON has them (RFC 8259, section 6).
[[nodiscard]] bool is_json_number(std::string_view text);

// One part becomes a plain key, any other number of parts a composite one.
[[nodiscard]] Key make_key(const std::vector<KeyPart>& parts);

// The order of query answers: part by part; null, false, true, numbers by value, strings by
// bytes; a key that another one begins with comes first.
[[nodiscard]] std::strong_ordering compare_keys(KeyView left, KeyView right);

// Tag byte and bytes; and back. kInvalid if there is no tag byte or it is unknown.
void append_tagged_key(Bytes& to, KeyView key);
[[nodiscard]] Result<KeyView> parse_tagged_key(ByteView tagged);

}  // namespace penstock::store
