#include "store/row_table.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "testing/random.h"

namespace penstock::store {
namespace {

KeyView key(std::string_view text, KeyTag tag = KeyTag::kString) {
  return {as_bytes(text), tag};
}

RowId upsert(RowTable& table, KeyView wanted) {
  table.reserve(1);
  return table.find_or_insert(table.pack(wanted));
}

TEST(RowTable, FindsWhatItHoldsByKeyAndTag) {
  RowTable table(1, 7);
  const RowId text = upsert(table, key("200"));
  const RowId number = upsert(table, key("200", KeyTag::kNumber));

  EXPECT_NE(text, number);
  EXPECT_EQ(upsert(table, key("200")), text);
  EXPECT_EQ(table.find(table.pack(key("200", KeyTag::kNumber))), table.row(number));
  EXPECT_EQ(table.find(table.pack(key("201"))), nullptr);
}

TEST(RowTable, FindsNothingWhileEmpty) {
  const RowTable table(1, 7);

  EXPECT_EQ(table.find(table.pack(key("a"))), nullptr);
}

// Every length around the limits of inline words, with contents that differ in one byte only.
TEST(RowTable, TellsKeysOfEveryLengthApart) {
  RowTable table(2, 3);
  std::map<std::string, RowId> model;
  for (std::size_t size = 0; size < 40; ++size) {
    model.emplace(std::string(size, 'a'), 0);
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text[at] = '\0';
      model.emplace(text, 0);
    }
  }
  for (auto& [text, id] : model) {
    id = upsert(table, key(text));
  }

  EXPECT_EQ(table.size(), model.size());
  for (const auto& [text, id] : model) {
    EXPECT_EQ(upsert(table, key(text)), id);
    const RowKey read(table.row(id));
    EXPECT_EQ(as_text(read.view().bytes), text);
    EXPECT_EQ(read.view().tag, KeyTag::kString);
    EXPECT_EQ(RowTable::key_size(table.row(id)), text.size());
  }
}

TEST(RowTable, KeepsRowsInPlaceWhileItGrows) {
  RowTable table(1, 5);
  std::vector<std::uint64_t*> rows;
  for (std::uint64_t number = 0; number < 5000; ++number) {
    const RowId id = upsert(table, key("key-" + std::to_string(number)));
    rows.push_back(table.row(id));
    rows.back()[RowTable::kCellsAt] = number;
  }

  for (std::uint64_t number = 0; number < 5000; ++number) {
    const RowId id = upsert(table, key("key-" + std::to_string(number)));
    EXPECT_EQ(table.row(id), rows[number]);
    EXPECT_EQ(rows[number][RowTable::kCellsAt], number);
  }
  EXPECT_EQ(table.size(), 5000U);
}

TEST(RowTable, LocateStaysRightWhileOthersAreInserted) {
  RowTable table(1, 11);
  table.reserve(128);
  std::vector<PackedKey> keys;
  std::vector<std::size_t> places;
  std::vector<std::string> texts;
  for (int number = 0; number < 100; ++number) {
    texts.push_back(std::to_string(number % 60));  // some twice
  }
  for (const std::string& text : texts) {
    keys.push_back(table.pack(key(text)));
    places.push_back(table.locate(keys.back()));
  }
  std::map<std::string, RowId> ids;
  for (std::size_t index = 0; index < keys.size(); ++index) {
    const RowId id = table.find_or_insert(keys[index], places[index]);
    EXPECT_EQ(ids.try_emplace(texts[index], id).first->second, id);
  }
  EXPECT_EQ(table.size(), 60U);
}

TEST(RowTable, NewRowsAreZeroAlsoAfterClear) {
  RowTable table(2, 1);
  for (int round = 0; round < 3; ++round) {
    for (int number = 0; number < 100; ++number) {
      std::uint64_t* row = table.row(upsert(table, key("k" + std::to_string(number))));
      EXPECT_EQ(row[2], 0U);
      EXPECT_EQ(row[RowTable::kCellsAt], 0U);
      EXPECT_EQ(row[RowTable::kCellsAt + 1], 0U);
      row[2] = row[RowTable::kCellsAt] = row[RowTable::kCellsAt + 1] = 77;
    }
    table.clear();
    EXPECT_EQ(table.size(), 0U);
    EXPECT_EQ(table.find(table.pack(key("k1"))), nullptr);
  }
}

TEST(RowTable, GivesBackMemoryOfALargeIndexWhenItStaysSmall) {
  RowTable table(1, 1);
  for (int number = 0; number < 10'000; ++number) {
    upsert(table, key(std::to_string(number)));
  }
  const std::size_t large = table.size_bytes();
  for (int round = 0; round < 30; ++round) {
    table.clear();
    upsert(table, key("one"));
  }

  EXPECT_LT(table.size_bytes(), large / 20);
}

TEST(RowTable, AgreesWithAMapOnRandomKeys) {
  testing::SeededRandom random(1);
  RowTable table(1, random.next());
  std::map<std::string, std::uint64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::string text(random.below(30), static_cast<char>('a' + random.below(4)));
    const std::string wanted = text + std::to_string(random.below(50));
    ++table.row(upsert(table, key(wanted)))[RowTable::kCellsAt];
    ++model[wanted];
  }

  EXPECT_EQ(table.size(), model.size());
  for (const auto& [text, count] : model) {
    EXPECT_EQ(table.find(table.pack(key(text)))[RowTable::kCellsAt], count);
  }
}

}  // namespace
}  // namespace penstock::store
