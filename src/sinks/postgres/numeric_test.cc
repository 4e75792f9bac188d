#include "sinks/postgres/numeric.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.h"

namespace penstock::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Count, weight, sign, scale, digits; empty if it is refused.
std::vector<int> numeric(std::string_view text) {
  std::string bytes;
  std::vector<int> words;
  if (append_numeric(bytes, text)) {
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
      words.push_back(load_be<std::int16_t>(as_bytes(bytes).data() + i));
    }
  }
  return words;
}

TEST(Numeric, GroupsDigitsByFourAroundThePoint) {
  EXPECT_THAT(numeric("0"), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(numeric("1"), ElementsAre(1, 0, 0, 0, 1));
  EXPECT_THAT(numeric("-12345.678"), ElementsAre(3, 1, 0x4000, 3, 1, 2345, 6780));
  EXPECT_THAT(numeric("100000000"), ElementsAre(1, 2, 0, 0, 1));
  EXPECT_THAT(numeric("0.05"), ElementsAre(1, -1, 0, 2, 500));
  EXPECT_THAT(numeric("0.000012"), ElementsAre(1, -2, 0, 6, 1200));
}

TEST(Numeric, KeepsZerosBehindThePoint) {
  EXPECT_THAT(numeric("1.50"), ElementsAre(2, 0, 0, 2, 1, 5000));
  EXPECT_THAT(numeric("-0.00"), ElementsAre(0, 0, 0, 2));
}

TEST(Numeric, ReadsExponents) {
  EXPECT_THAT(numeric("1.5e3"), ElementsAre(1, 0, 0, 0, 1500));
  EXPECT_THAT(numeric("15E-3"), ElementsAre(1, -1, 0, 3, 150));
  EXPECT_THAT(numeric("1e+4"), ElementsAre(1, 1, 0, 0, 1));
}

TEST(Numeric, RefusesWhatIsNoNumberOrCannotBeHeld) {
  for (const char* bad : {"", "-", ".5", "5.", "1e", "1e99999999999", "01", "1.2.3", "0x1", "NaN",
                          "1e131073", "1e-16384"}) {
    EXPECT_THAT(numeric(bad), IsEmpty()) << bad;
  }
  EXPECT_FALSE(numeric("1e131071").empty());
  EXPECT_FALSE(numeric("1e-16383").empty());
}

}  // namespace
}  // namespace penstock::sinks
