#include "sinks/redis/redis_error.h"

#include <gtest/gtest.h>

#include "sinks/redis/key_slot.h"

namespace penstock::sinks {
namespace {

TEST(RedisError, OfARecordIsARefusal) {
  for (const char* refusal : {
           "WRONGTYPE Operation against a key holding the wrong kind of value",
           "ERR value is not an integer or out of range",
           "ERR hash value is not an integer",
           "ERR increment or decrement would overflow",
           "ERR value is not a valid float",
           "ERR resulting score is not a number (NaN)",
       }) {
    EXPECT_EQ(code_of_redis_error(refusal), ErrorCode::kInvalid) << refusal;
  }
}

TEST(RedisError, OfAnythingElseMayPass) {
  for (const char* other : {
           "OOM command not allowed when used memory > 'maxmemory'.",
           "LOADING Redis is loading the dataset in memory",
           "READONLY You can't write against a read only replica.",
           "CLUSTERDOWN The cluster is down",
           "TRYAGAIN Multiple keys request during rehashing of slot",
           "BUSY Redis is busy running a script.",
           "MISCONF Redis is configured to save RDB snapshots",
           "NOREPLICAS Not enough good replicas to write.",
           "NOAUTH Authentication required.",
           "NOPERM User sink has no permissions to run the 'del' command",
           "ERR Unsupported option GT",
           "ERR unknown command 'FOO'",
           "",
       }) {
    EXPECT_EQ(code_of_redis_error(other), ErrorCode::kRetry) << other;
  }
}

TEST(RedisError, SaysWhereASlotIs) {
  const RedisAddress from{"10.0.0.9", 7};
  const auto moved = parse_redirection("MOVED 3999 10.0.0.1:6381", from);
  EXPECT_FALSE(moved->is_ask);
  EXPECT_EQ(moved->to, (RedisAddress{"10.0.0.1", 6381}));
  EXPECT_TRUE(parse_redirection("ASK 3999 node.example.net:1", from)->is_ask);
  EXPECT_EQ(parse_redirection("MOVED 1 :6381", from)->to, (RedisAddress{"10.0.0.9", 6381}));
  EXPECT_EQ(parse_redirection("MOVED 1 2001:db8::1:6381", from)->to,
            (RedisAddress{"2001:db8::1", 6381}));
  for (const char* none : {"", "MOVED", "MOVED 1", "MOVED 1 a", "MOVED 1 a:", "MOVED 1 a:70000",
                           "ERR moved", "MOVEDX 1 a:1"}) {
    EXPECT_FALSE(parse_redirection(none, from).has_value()) << none;
  }
}

// The specification's own example, and what CLUSTER KEYSLOT of Redis 7.0 answers.
TEST(KeySlot, IsThatOfTheServer) {
  EXPECT_EQ(key_slot("123456789"), 0x31c3 % kSlotCount);
  EXPECT_EQ(key_slot("foo"), 12182);
  EXPECT_EQ(key_slot("bar"), 5061);
  EXPECT_EQ(key_slot(""), 0);
}

TEST(KeySlot, IsThatOfTheHashTag) {
  EXPECT_EQ(key_slot("x{foo}y{bar}"), key_slot("foo"));
  EXPECT_EQ(key_slot("foo{{bar}}zap"), key_slot("{bar"));
  EXPECT_NE(key_slot("foo{}{bar}"), key_slot("bar"));
  EXPECT_NE(key_slot("{foo"), key_slot("foo"));
}

}  // namespace
}  // namespace penstock::sinks
