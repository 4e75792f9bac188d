#include "wal/key_set.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "os/random.h"

namespace penstock::wal {
namespace {

bool contains(const KeySet& keys, std::string_view key) {
  return keys.contains(keys.probe(as_bytes(key)));
}

TEST(KeySet, ContainsNothingAtFirst) {
  const KeySet keys(1);

  EXPECT_FALSE(contains(keys, "a"));
  EXPECT_FALSE(contains(keys, ""));
}

TEST(KeySet, TellsKeysApartThatBeginAlike) {
  const std::string with_zero("a\0", 2);
  KeySet keys(1);

  EXPECT_TRUE(keys.insert(keys.probe(as_bytes("a"))));
  EXPECT_FALSE(contains(keys, ""));
  EXPECT_FALSE(contains(keys, with_zero));
  EXPECT_TRUE(keys.insert(keys.probe({})));
  EXPECT_TRUE(keys.insert(keys.probe(as_bytes(with_zero))));

  EXPECT_FALSE(keys.insert(keys.probe(as_bytes("a"))));
  EXPECT_TRUE(contains(keys, ""));
  EXPECT_TRUE(contains(keys, with_zero));
}

TEST(KeySet, EqualsASetWhateverIsInserted) {
  os::SeededRandom random(1);
  KeySet keys(random.next());
  std::set<std::string> expected;

  for (int i = 0; i < 50'000; ++i) {
    const std::string key =
        std::string(random.below(20), 'k') + std::to_string(random.below(5'000));
    const KeySet::Probe probe = keys.probe(as_bytes(key));
    keys.touch(probe);
    ASSERT_EQ(keys.insert(probe), expected.insert(key).second) << key;
  }

  for (const std::string& key : expected) {
    EXPECT_TRUE(contains(keys, key)) << key;
  }
  EXPECT_FALSE(contains(keys, "another"));
  EXPECT_LT(keys.size_bytes(), expected.size() * 128);
}

}  // namespace
}  // namespace penstock::wal
