#include "dsl/serde.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dsl/fields.h"
#include "dsl/table_nodes.h"
#include "dsl/windows.h"

namespace penstock::dsl {
namespace {

template <typename T>
std::string encoded(const T& value) {
  Bytes bytes;
  Serde<T>::encode(value, bytes);
  return std::string(as_text(bytes));
}

TEST(Serde, WritesNumbersAsKafkasSerdes) {
  EXPECT_EQ(encoded<std::int64_t>(-2), "\xff\xff\xff\xff\xff\xff\xff\xfe");
  EXPECT_EQ(encoded<std::int32_t>(258), std::string("\0\0\1\2", 4));
  EXPECT_EQ(encoded<double>(1.0), std::string("\x3f\xf0\0\0\0\0\0\0", 8));
  EXPECT_EQ(Serde<std::int64_t>::decode(as_bytes("\xff\xff\xff\xff\xff\xff\xff\xfe")), -2);
}

TEST(Serde, RefusesOtherSizes) {
  EXPECT_FALSE(Serde<std::int64_t>::decode(as_bytes("1234567")).has_value());
  EXPECT_FALSE(Serde<bool>::decode(as_bytes("\2")).has_value());
  EXPECT_FALSE(Serde<std::vector<std::string>>::decode(as_bytes("abc")).has_value());
  EXPECT_FALSE(
      Serde<std::vector<std::string>>::decode(as_bytes(std::string("\1\0\0\0\1\0\0\0\5ab", 11)))
          .has_value());
  EXPECT_FALSE(Serde<std::vector<std::int32_t>>::decode(
                   as_bytes(std::string("\0\0\0\0\0\0\0\0\1\0\0\0", 12)))
                   .has_value());
}

TEST(Serde, WindowedKeysAsInKafkaStreams) {
  EXPECT_EQ(encoded(Windowed<std::string>{"k", {Timestamp(1), Timestamp(9)}}),
            std::string("k\0\0\0\0\0\0\0\1", 9));
  // The end first.
  EXPECT_EQ(encoded(SessionWindowed<std::string>{"k", {Timestamp(1), Timestamp(9)}}),
            std::string("k\0\0\0\0\0\0\0\x9\0\0\0\0\0\0\0\1", 17));
}

TEST(Serde, ListsAsKafkasListSerde) {
  const std::vector<std::string> texts = {"a", "", "bcd"};
  EXPECT_EQ(encoded(texts), std::string("\1\0\0\0\3\0\0\0\1a\0\0\0\0\0\0\0\3bcd", 21));
  EXPECT_EQ(Serde<std::vector<std::string>>::decode(as_bytes(encoded(texts))), texts);
  const std::vector<std::int16_t> numbers = {1, -1};
  EXPECT_EQ(encoded(numbers), std::string("\0\0\0\0\0\0\0\0\2\0\1\xff\xff", 13));
  EXPECT_EQ(Serde<std::vector<std::int16_t>>::decode(as_bytes(encoded(numbers))), numbers);
}

struct Inner {
  std::int32_t number = 0;

  static constexpr auto kFields = std::tuple(&Inner::number);

  friend bool operator==(const Inner&, const Inner&) = default;
};

struct Outer {
  std::string name;
  std::vector<Inner> list;
  double last = 0;

  static constexpr auto kFields = std::tuple(&Outer::name, &Outer::list, &Outer::last);

  friend bool operator==(const Outer&, const Outer&) = default;
};

TEST(Serde, StructsAreTheirFields) {
  const Outer outer{"ab", {{1}, {2}}, 1.0};
  const std::string bytes = encoded(outer);
  EXPECT_EQ(bytes, std::string("\0\0\0\2ab\0\0\0\2\0\0\0\1\0\0\0\2\x3f\xf0\0\0\0\0\0\0", 26));
  EXPECT_EQ(Serde<Outer>::decode(as_bytes(bytes)), outer);
}

TEST(Serde, RefusesStructsThatAreCutOrTooLong) {
  const std::string bytes = encoded(Outer{"ab", {{1}, {2}}, 1.0});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Serde<Outer>::decode(as_bytes(bytes.substr(0, size))).has_value()) << size;
  }
  EXPECT_FALSE(Serde<Outer>::decode(as_bytes(bytes + "x")).has_value());
  // A list of more elements than there are bytes is not made.
  EXPECT_FALSE(
      Serde<Outer>::decode(as_bytes(std::string("\0\0\0\0\x7f\xff\xff\xff", 8))).has_value());
}

TEST(Serde, ChangesAsInKafkaStreams) {
  using Change = OwnedChange<std::string>;
  EXPECT_EQ(encoded(Change{"new", std::nullopt}), "new\1");
  EXPECT_EQ(encoded(Change{std::nullopt, "old"}), std::string("old\0", 4));
  EXPECT_EQ(encoded(Change{"new", "old"}), "\6newold\2");

  const auto both = Serde<Change>::decode(as_bytes("\6newold\2"));
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->new_value, "new");
  EXPECT_EQ(both->old_value, "old");
  EXPECT_FALSE(Serde<Change>::decode(as_bytes("\x40new\2")).has_value());
}

TEST(Windows, HoppingWindowsThatHoldAMoment) {
  using namespace std::chrono_literals;
  std::vector<std::int64_t> starts;
  TimeWindows::of_size_with_no_grace(10ms).advance_by(4ms).windows_for(
      Timestamp(13), [&](Window window) { starts.push_back(window.start.value()); });

  EXPECT_EQ(starts, (std::vector<std::int64_t>{4, 8, 12}));
}

}  // namespace
}  // namespace penstock::dsl
