#include "config/nearest.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::config {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("listen", "listen"), 0u);
  EXPECT_EQ(edit_distance("lisen", "listen"), 1u);
  EXPECT_EQ(edit_distance("lsiten", "listen"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, AnswersTheClosestNameOnlyIfItIsClose) {
  const std::vector<std::string> known = {"listen", "threads", "key"};

  EXPECT_EQ(nearest("lisen", known), "listen");
  EXPECT_EQ(nearest("thread", known), "threads");
  EXPECT_EQ(nearest("kye", known), "key");
  EXPECT_EQ(nearest("banana", known), std::nullopt);
  EXPECT_EQ(did_you_mean("lisen", known), "; did you mean \"listen\"?");
  EXPECT_EQ(did_you_mean("banana", known), "");
}

}  // namespace
}  // namespace penstock::config
