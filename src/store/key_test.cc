#include "store/key.h"

#include <gtest/gtest.h>

namespace penstock::store {
namespace {

using Kind = KeyPart::Kind;

TEST(Key, OnePartIsItsTextAndATag) {
  const Key key = make_key({{Kind::kNumber, "200"}});

  EXPECT_EQ(as_text(key.bytes), "200");
  EXPECT_EQ(key.tag, KeyTag::kNumber);
  EXPECT_EQ(*key_parts(key.view()), (std::vector<KeyPart>{{Kind::kNumber, "200"}}));
}

TEST(Key, SeveralPartsComeBackWithTheirKinds) {
  const std::vector<KeyPart> parts = {{Kind::kString, "GET"},
                                      {Kind::kNumber, "1.5"},
                                      {Kind::kNull, "null"},
                                      {Kind::kString, std::string(300, 'x')},
                                      {Kind::kString, ""}};

  const Key key = make_key(parts);

  EXPECT_EQ(key.tag, KeyTag::kComposite);
  EXPECT_EQ(*key_parts(key.view()), parts);
}

TEST(Key, NoPartsAreAKeyToo) {
  const Key key = make_key({});

  EXPECT_EQ(key.tag, KeyTag::kComposite);
  EXPECT_TRUE(key_parts(key.view())->empty());
}

TEST(Key, MalformedCompositeIsRefused) {
  for (const std::string_view bytes : {"\x09\x02x", "\x04", "\x04\x08xyz", "\x04\x01"}) {
    EXPECT_EQ(key_parts({as_bytes(bytes), KeyTag::kComposite}).error().code(), ErrorCode::kInvalid)
        << bytes;
  }
}

TEST(Key, SortsByTypeThenNumbersByValueAndStringsByBytes) {
  const std::vector<Key> ascending = {
      make_key({{Kind::kNull, "null"}}),   make_key({{Kind::kFalse, "false"}}),
      make_key({{Kind::kTrue, "true"}}),   make_key({{Kind::kNumber, "-3"}}),
      make_key({{Kind::kNumber, "9"}}),    make_key({{Kind::kNumber, "10"}}),
      make_key({{Kind::kNumber, "1e9"}}),  make_key({{Kind::kString, ""}}),
      make_key({{Kind::kString, "10"}}),   make_key({{Kind::kString, "9"}}),
      make_key({{Kind::kString, "\xff"}}),
  };

  for (std::size_t left = 0; left < ascending.size(); ++left) {
    for (std::size_t right = 0; right < ascending.size(); ++right) {
      EXPECT_EQ(compare_keys(ascending[left].view(), ascending[right].view()), left <=> right)
          << left << " " << right;
    }
  }
}

TEST(Key, SortsCompositeKeysPartByPart) {
  const auto key = [](const char* first, const char* second) {
    return make_key({{Kind::kString, first}, {Kind::kNumber, second}});
  };

  EXPECT_EQ(compare_keys(key("a", "10").view(), key("b", "2").view()), std::strong_ordering::less);
  EXPECT_EQ(compare_keys(key("a", "10").view(), key("a", "9").view()),
            std::strong_ordering::greater);
  EXPECT_EQ(compare_keys(key("aa", "1").view(), key("a", "2").view()),
            std::strong_ordering::greater);
}

TEST(Key, NumbersOfOneValueButDifferentTextAreDifferentKeys) {
  EXPECT_NE(compare_keys(make_key({{Kind::kNumber, "1"}}).view(),
                         make_key({{Kind::kNumber, "1.0"}}).view()),
            std::strong_ordering::equal);
}

TEST(Key, TaggedBytesComeBack) {
  Bytes bytes;
  append_tagged_key(bytes, {as_bytes("abc"), KeyTag::kString});

  const auto parsed = parse_tagged_key(bytes);

  EXPECT_EQ(parsed->tag, KeyTag::kString);
  EXPECT_EQ(as_text(parsed->bytes), "abc");
  EXPECT_EQ(parse_tagged_key({}).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(parse_tagged_key(as_bytes("\x06x")).error().code(), ErrorCode::kInvalid);
}

TEST(Key, KnowsJsonNumbers) {
  for (const char* text : {"0", "-0", "12", "-1.5", "1e5", "1E+5", "0.1e-2"}) {
    EXPECT_TRUE(is_json_number(text)) << text;
  }
  for (const char* text : {"", "-", "01", "1.", ".5", "1e", "+1", "0x1", "10.0.0.1", "1 ", "NaN"}) {
    EXPECT_FALSE(is_json_number(text)) << text;
  }
}

}  // namespace
}  // namespace penstock::store
