#include "store/aggregate.h"

#include <limits>

#include <gtest/gtest.h>

#include "testing/random.h"

namespace penstock::store {
namespace {

using Kind = AggregateColumn::Kind;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

InputNumber integer(std::int64_t value) {
  return {false, value, 0};
}

InputNumber fraction(double value) {
  return {true, 0, value};
}

AggregateLayout everything() {
  return AggregateLayout({{Kind::kCount, ""},
                          {Kind::kSum, "/n"},
                          {Kind::kMin, "/n"},
                          {Kind::kMax, "/n"},
                          {Kind::kAvg, "/n"}});
}

struct Cells {
  explicit Cells(const AggregateLayout& of) : layout(of), cells(of.cell_count()) {}

  Cells& add(const InputNumber& number) {
    ++cells[AggregateLayout::kRecordsCell];
    layout.add(cells.data(), 0, number);
    return *this;
  }

  Number sum() { return layout.result(cells.data(), 1); }

  Number min() { return layout.result(cells.data(), 2); }

  Number max() { return layout.result(cells.data(), 3); }

  Number avg() { return layout.result(cells.data(), 4); }

  const AggregateLayout& layout;
  std::vector<std::uint64_t> cells;
};

TEST(Aggregate, CountAloneTakesOneCell) {
  EXPECT_EQ(AggregateLayout({{Kind::kCount, ""}}).cell_count(), 1U);
}

TEST(Aggregate, FieldsAreListedOnceInOrder) {
  const AggregateLayout layout({{Kind::kSum, "/b"}, {Kind::kMin, "/a"}, {Kind::kAvg, "/b"}});

  EXPECT_EQ(layout.field_pointers(), (std::vector<std::string>{"/b", "/a"}));
}

TEST(Aggregate, OfNoNumbersThereIsNone) {
  const AggregateLayout layout = everything();
  Cells cells(layout);

  EXPECT_EQ(cells.sum(), Number());
  EXPECT_EQ(cells.min(), Number());
  EXPECT_EQ(cells.max(), Number());
  EXPECT_EQ(cells.avg(), Number());
  EXPECT_EQ(layout.result(cells.cells.data(), 0), Number(std::int64_t{0}));
}

TEST(Aggregate, IntegersStayExactUpTo63Bits) {
  const AggregateLayout layout = everything();
  Cells cells(layout);

  cells.add(integer(kMax - 1)).add(integer(1)).add(integer(-7)).add(integer(7));

  EXPECT_EQ(cells.sum(), Number(kMax));
  EXPECT_EQ(cells.min(), Number(std::int64_t{-7}));
  EXPECT_EQ(cells.max(), Number(kMax - 1));
}

TEST(Aggregate, AnOverflowingSumBecomesAFraction) {
  const AggregateLayout layout = everything();
  Cells cells(layout);

  cells.add(integer(kMax)).add(integer(kMax));

  EXPECT_EQ(cells.sum(), Number(2 * static_cast<double>(kMax)));
}

TEST(Aggregate, FractionsAndIntegersMix) {
  const AggregateLayout layout = everything();
  Cells cells(layout);

  cells.add(integer(2)).add(fraction(0.5)).add(fraction(-1.25));

  EXPECT_EQ(cells.sum(), Number(1.25));
  EXPECT_EQ(cells.min(), Number(-1.25));
  EXPECT_EQ(cells.max(), Number(std::int64_t{2}));
  EXPECT_EQ(cells.avg(), Number(1.25 / 3));
}

TEST(Aggregate, ComparesIntegersAndFractionsExactly) {
  const std::int64_t big = (std::int64_t{1} << 53) + 1;  // no double is equal to it
  const AggregateLayout layout = everything();

  EXPECT_EQ(Cells(layout).add(fraction(9007199254740992.0)).add(integer(big)).max(), Number(big));
  EXPECT_EQ(Cells(layout).add(integer(big)).add(fraction(9007199254740992.0)).min(),
            Number(9007199254740992.0));
  EXPECT_EQ(Cells(layout).add(integer(kMax)).add(fraction(1e300)).max(), Number(1e300));
  EXPECT_EQ(Cells(layout).add(integer(-kMax)).add(fraction(-1e300)).min(), Number(-1e300));
}

// Any split of numbers into two parts, merged, is the same as all of them together.
TEST(Aggregate, MergeOfPartsEqualsTheWhole) {
  testing::SeededRandom random(5);
  const AggregateLayout layout = everything();
  for (int round = 0; round < 200; ++round) {
    Cells whole(layout);
    Cells left(layout);
    Cells right(layout);
    for (std::uint64_t count = random.below(6); count > 0; --count) {
      // Multiples of a quarter add up without rounding.
      const double value = (static_cast<double>(random.below(4000)) - 2000) / 4;
      const InputNumber number =
          random.below(2) == 0 ? fraction(value) : integer(static_cast<std::int64_t>(value));
      whole.add(number);
      (random.below(2) == 0 ? left : right).add(number);
    }

    layout.merge(left.cells.data(), right.cells.data());

    for (std::size_t column = 0; column < layout.columns().size(); ++column) {
      EXPECT_EQ(layout.result(left.cells.data(), column),
                layout.result(whole.cells.data(), column));
    }
  }
}

TEST(Aggregate, EncodedCellsComeBack) {
  testing::SeededRandom random(6);
  const AggregateLayout layout = everything();
  for (int round = 0; round < 200; ++round) {
    Cells cells(layout);
    for (std::uint64_t count = random.below(5); count > 0; --count) {
      cells.add(random.below(2) == 0 ? fraction(static_cast<double>(random.next()))
                                     : integer(static_cast<std::int64_t>(random.next())));
    }
    Bytes bytes(layout.encoded_size_max());
    const std::byte* end = layout.encode(cells.cells.data(), bytes.data());
    const ByteView encoded(bytes.data(), end);

    Cells decoded(layout);
    ASSERT_TRUE(layout.decode(encoded, decoded.cells.data()).has_value());
    EXPECT_EQ(decoded.cells, cells.cells);

    if (!encoded.empty()) {
      EXPECT_EQ(
          layout.decode(encoded.first(encoded.size() - 1), decoded.cells.data()).error().code(),
          ErrorCode::kInvalid);
    }
  }
}

TEST(Aggregate, BytesOfAnotherLayoutAreRefused) {
  const AggregateLayout count({{Kind::kCount, ""}});
  const AggregateLayout layout = everything();
  Bytes bytes(layout.encoded_size_max());
  Cells cells(layout);
  cells.add(integer(3));
  const std::byte* end = layout.encode(cells.cells.data(), bytes.data());

  std::uint64_t cell = 0;
  EXPECT_EQ(count.decode({bytes.data(), end}, &cell).error().code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace penstock::store
