#include "store/key.h"

#include <array>
#include <charconv>

#include "core/check.h"
#include "core/varint.h"

namespace penstock::store {

namespace {

struct Part {
  KeyPart::Kind kind = KeyPart::Kind::kNull;
  std::string_view text;
};

KeyPart::Kind kind_of(KeyTag tag) {
  PENSTOCK_CHECK(tag != KeyTag::kComposite);
  return static_cast<KeyPart::Kind>(tag);
}

// Reads the parts of any key one after the other, without copying.
class PartReader {
 public:
  explicit PartReader(KeyView key)
      : at_(key.bytes.data()), end_(at_ + key.bytes.size()), tag_(key.tag) {}

  [[nodiscard]] bool next(Part& part) {
    if (tag_ != KeyTag::kComposite) {
      if (plain_done_) {
        return false;
      }
      plain_done_ = true;
      part = {kind_of(tag_), as_text({at_, end_})};
      return true;
    }
    if (at_ == end_) {
      return false;
    }
    const auto kind = static_cast<std::uint8_t>(*at_++);
    std::int64_t size = 0;
    const std::byte* text = get_varint(at_, end_, size);
    if (kind > static_cast<std::uint8_t>(KeyPart::Kind::kString) || text == nullptr || size < 0 ||
        size > end_ - text) {
      malformed_ = true;
      return false;
    }
    part = {static_cast<KeyPart::Kind>(kind), as_text({text, static_cast<std::size_t>(size)})};
    at_ = text + size;
    return true;
  }

  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  const std::byte* at_;
  const std::byte* end_;
  KeyTag tag_;
  bool plain_done_ = false;
  bool malformed_ = false;
};

std::strong_ordering compare_text(std::string_view left, std::string_view right) {
  const int order = left.compare(right);
  return order < 0   ? std::strong_ordering::less
         : order > 0 ? std::strong_ordering::greater
                     : std::strong_ordering::equal;
}

double to_double(std::string_view number) {
  double value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  return value;
}

// 1, 1.0 and 1e0 are different keys of the same value: then their text decides.
std::strong_ordering compare_numbers(std::string_view left, std::string_view right) {
  const double left_value = to_double(left);
  const double right_value = to_double(right);
  if (left_value < right_value) {
    return std::strong_ordering::less;
  }
  if (left_value > right_value) {
    return std::strong_ordering::greater;
  }
  return compare_text(left, right);
}

std::strong_ordering compare_parts(const Part& left, const Part& right) {
  if (left.kind != right.kind) {
    return left.kind <=> right.kind;
  }
  return left.kind == KeyPart::Kind::kNumber ? compare_numbers(left.text, right.text)
                                             : compare_text(left.text, right.text);
}

}  // namespace

bool is_json_number(std::string_view text) {
  const auto skip_digits = [&text] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count > 0;
  };
  if (text.starts_with('-')) {
    text.remove_prefix(1);
  }
  if (text.starts_with('0')) {
    text.remove_prefix(1);
  } else if (!skip_digits()) {
    return false;
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!skip_digits()) {
      return false;
    }
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) {
      text.remove_prefix(1);
    }
    if (!skip_digits()) {
      return false;
    }
  }
  return text.empty();
}

void append_composite_part(Bytes& composite, KeyPart::Kind kind, std::string_view text) {
  std::array<std::byte, kVarintSizeMax> size;
  std::byte* size_end = put_varint(size.data(), static_cast<std::int64_t>(text.size()));
  composite.push_back(static_cast<std::byte>(kind));
  composite.insert(composite.end(), size.data(), size_end);
  const ByteView bytes = as_bytes(text);
  composite.insert(composite.end(), bytes.begin(), bytes.end());
}

Result<std::vector<KeyPart>> key_parts(KeyView key) {
  std::vector<KeyPart> parts;
  PartReader reader(key);
  for (Part part; reader.next(part);) {
    parts.push_back({part.kind, std::string(part.text)});
  }
  if (reader.malformed()) {
    return Error(ErrorCode::kInvalid, "the key is not a list of kind, length and text");
  }
  return parts;
}

Key make_key(const std::vector<KeyPart>& parts) {
  if (parts.size() == 1) {
    return {to_bytes(parts[0].text), static_cast<KeyTag>(parts[0].kind)};
  }
  Key key{{}, KeyTag::kComposite};
  for (const KeyPart& part : parts) {
    append_composite_part(key.bytes, part.kind, part.text);
  }
  return key;
}

std::strong_ordering compare_keys(KeyView left, KeyView right) {
  if (left.tag == KeyTag::kString && right.tag == KeyTag::kString) {
    return compare_text(as_text(left.bytes), as_text(right.bytes));
  }
  PartReader left_reader(left);
  PartReader right_reader(right);
  while (true) {
    Part left_part;
    Part right_part;
    const bool left_has = left_reader.next(left_part);
    const bool right_has = right_reader.next(right_part);
    if (!left_has || !right_has) {
      return left_has <=> right_has;
    }
    const std::strong_ordering order = compare_parts(left_part, right_part);
    if (order != std::strong_ordering::equal) {
      return order;
    }
  }
}

void append_tagged_key(Bytes& to, KeyView key) {
  to.push_back(static_cast<std::byte>(key.tag));
  to.insert(to.end(), key.bytes.begin(), key.bytes.end());
}

Result<KeyView> parse_tagged_key(ByteView tagged) {
  if (tagged.empty() ||
      static_cast<std::uint8_t>(tagged[0]) > static_cast<std::uint8_t>(KeyTag::kComposite)) {
    return Error(ErrorCode::kInvalid, "the key does not begin with a known tag");
  }
  return KeyView{tagged.subspan(1), static_cast<KeyTag>(tagged[0])};
}

}  // namespace penstock::store
