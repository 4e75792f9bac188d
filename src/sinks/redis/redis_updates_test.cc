#include "sinks/redis/redis_updates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.h"
#include "core/check.h"

namespace penstock::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using Mode = RedisUpdates::Mode;

config::KeyTemplate parsed(const char* text) {
  return *config::parse_key_template(text);
}

// The words of "$1\r\na\r\n$2\r\nbc\r\n".
std::vector<std::string> words(std::string_view encoded) {
  std::vector<std::string> found;
  while (!encoded.empty()) {
    const std::size_t line = encoded.find("\r\n");
    const std::size_t size = std::stoul(std::string(encoded.substr(1, line - 1)));
    found.emplace_back(encoded.substr(line + 2, size));
    encoded.remove_prefix(line + 2 + size + 2);
  }
  return found;
}

class RedisUpdatesTest : public ::testing::Test {
 protected:
  RedisUpdatesTest() { options_.key = parsed("k:%{/id}"); }

  // The words of one event: its key, then what the script gets. Or the refusal.
  std::vector<std::string> update(std::optional<std::string_view> value) {
    updates_ = *RedisUpdates::make(options_);
    SinkRecord record;
    record.partition = PartitionId(3);
    record.record.offset = Offset(42);
    record.record.timestamp = Timestamp(1'000);
    record.record.key = as_bytes("the key");
    if (value.has_value()) {
      record.record.value = as_bytes(*value);
    }
    const std::vector<Refusal> refusals = updates_->prepare({&record, 1});
    if (!refusals.empty()) {
      return {"refused: " + refusals[0].message};
    }
    const RedisUpdates::Encoded encoded = (*updates_)[0];
    std::vector<std::string> found = words(encoded.words);
    EXPECT_EQ(found.size(), encoded.word_count);
    EXPECT_EQ(found.front(), "42");
    EXPECT_EQ(found.back(), "0");
    found.front() = words(encoded.key).front();
    found.pop_back();
    return found;
  }

  RedisUpdates::Options options_;
  std::unique_ptr<RedisUpdates> updates_;
};

TEST_F(RedisUpdatesTest, KeepTheLatestEventAsItIs) {
  EXPECT_THAT(update(R"({"id":7, "x":"\u00e9"})"),
              ElementsAre("k:7", "2", "SET", R"({"id":7, "x":"\u00e9"})"));
  options_.ttl = std::chrono::seconds(2);
  EXPECT_THAT(update(R"({"id":true})"),
              ElementsAre("k:true", "4", "SET", R"({"id":true})", "PXAT", "3000"));
}

TEST_F(RedisUpdatesTest, KeepTheLatestEventAsAHashOfWhatItHas) {
  options_.fields = {{"/a", "a"}, {"/b", "b"}, {"/c", "c"}};
  EXPECT_THAT(
      update(R"({"id":"x","a":"\u00e9\n","b":null,"c":{"d":[1]}})"),
      ElementsAre("k:x", "2", "HDEL", "b", "5", "HSET", "a", "\u00e9\n", "c", R"({"d":[1]})"));
  EXPECT_THAT(update(R"({"id":"x"})"), ElementsAre("k:x", "4", "HDEL", "a", "b", "c"));
}

TEST_F(RedisUpdatesTest, RemoveTheKeyOfATombstoneIfItIsTheRecordsOwn) {
  EXPECT_THAT(update(std::nullopt),
              ElementsAre("refused: /id is missing, not a string, a number, true or false"));
  options_.key = parsed("{t:%{partition}}:%{key}");
  EXPECT_THAT(update(std::nullopt), ElementsAre("{t:3}:the key", "1", "DEL"));
  options_.mode = Mode::kCounter;
  EXPECT_THAT(update(std::nullopt), ElementsAre("refused: the record has no value"));
}

TEST_F(RedisUpdatesTest, CountInAKeyOrInAFieldOfIt) {
  options_.mode = Mode::kCounter;
  EXPECT_THAT(update(R"({"id":7})"), ElementsAre("k:7", "2", "INCRBY", "1"));
  options_.increment = "/n";
  options_.field = parsed("f%{/f}");
  EXPECT_THAT(update(R"({"id":7,"n":-3,"f":1})"), ElementsAre("k:7", "3", "HINCRBY", "f1", "-3"));
  EXPECT_THAT(update(R"({"id":7,"n":0.5,"f":1})"),
              ElementsAre("refused: /n is number 0.5, not a whole number of 64 bits"));
  EXPECT_THAT(update(R"({"id":7,"n":1})"),
              ElementsAre("refused: /f is missing, not a string, a number, true or false"));
}

TEST_F(RedisUpdatesTest, ScoreMembersOfASortedSet) {
  options_.mode = Mode::kSortedSet;
  options_.member = parsed("m%{/m}");
  options_.score = "/s";
  constexpr const char* kEvent = R"({"id":7,"m":"a","s":1.50})";
  EXPECT_THAT(update(kEvent), ElementsAre("k:7", "3", "ZADD", "1.50", "ma"));
  options_.score_update = RedisUpdates::ScoreUpdate::kAdd;
  EXPECT_THAT(update(kEvent), ElementsAre("k:7", "3", "ZINCRBY", "1.50", "ma"));
  options_.score_update = RedisUpdates::ScoreUpdate::kMax;
  EXPECT_THAT(update(kEvent), ElementsAre("k:7", "4", "ZADD", "GT", "1.50", "ma"));
  options_.score_update = RedisUpdates::ScoreUpdate::kMin;
  EXPECT_THAT(update(kEvent), ElementsAre("k:7", "4", "ZADD", "LT", "1.50", "ma"));
  EXPECT_THAT(update(R"({"id":7,"m":"a","s":"1"})"),
              ElementsAre("refused: /s is string \"1\", not a number that a score can hold"));
}

TEST_F(RedisUpdatesTest, KeepSessionsThatExpireByTheTimeOfTheirEvents) {
  options_.mode = Mode::kSession;
  options_.ttl = std::chrono::seconds(5);
  options_.fields = {{"/page", "page"}, {"/ref", "ref"}};
  EXPECT_THAT(update(R"({"id":7,"page":"/"})"),
              ElementsAre("k:7", "3", "HINCRBY", "events", "1", "3", "HSETNX", "first_at", "1000",
                          "3", "HSET", "last_at", "1000", "3", "HSET", "page", "/", "3",
                          "PEXPIREAT", "6000", "NX", "3", "PEXPIREAT", "6000", "GT"));
}

TEST_F(RedisUpdatesTest, SayWhatDoesNotFit) {
  EXPECT_THAT(update("{"), ElementsAre("refused: the event is not JSON"));
  EXPECT_THAT(update(R"({"id":null})"),
              ElementsAre("refused: /id is null, not a string, a number, true or false"));
  EXPECT_THAT(
      update(R"({"id":{"a":1}})"),
      ElementsAre("refused: /id is object {\"a\":1}, not a string, a number, true or false"));
}

TEST_F(RedisUpdatesTest, GiveEachRecordByItselfAndLeaveRefusedOnesAlone) {
  const auto updates = *RedisUpdates::make(options_);
  std::vector<SinkRecord> records(3);
  const std::vector<std::string> values = {R"({"id":1})", "{}", R"({"id":3})"};
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i].record.offset = Offset(static_cast<std::int64_t>(i));
    records[i].record.value = as_bytes(values[i]);
  }

  EXPECT_THAT(updates->prepare(records), SizeIs(1));

  EXPECT_THAT(words((*updates)[0].words), ElementsAre("0", "2", "SET", values[0], "0"));
  EXPECT_THAT(words((*updates)[2].words), ElementsAre("2", "2", "SET", values[2], "0"));
  EXPECT_THAT(words((*updates)[2].key), ElementsAre("k:3"));
}

TEST_F(RedisUpdatesTest, TryAllCommandsOnAKeyThatIsRemovedAgain) {
  options_.mode = Mode::kSortedSet;
  options_.member = parsed("%{/m}%{key}");
  options_.score = "/s";
  options_.ttl = std::chrono::seconds(1);
  const auto updates = *RedisUpdates::make(options_);

  const RedisUpdates::Encoded probe = updates->probe("p", Offset(5));

  EXPECT_THAT(words(probe.key), ElementsAre("p"));
  EXPECT_THAT(words(probe.words),
              ElementsAre("5", "3", "ZADD", "1", "11", "3", "PEXPIREAT", "4102444801000", "NX", "3",
                          "PEXPIREAT", "4102444801000", "GT", "1", "DEL", "0"));
}

TEST_F(RedisUpdatesTest, RefuseAPointerThatIsNone) {
  options_.increment = "n";
  options_.mode = Mode::kCounter;
  EXPECT_EQ(RedisUpdates::make(options_).error().code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace penstock::sinks
