#include "kafka/topic_settings.h"

#include <string>

#include <gtest/gtest.h>

namespace penstock::kafka {
namespace {

log::TopicConfig some_topic() {
  log::TopicConfig config;
  config.name = "web";
  config.partition_count = 4;
  config.cleanup = log::CleanupPolicy::kCompact;
  config.retention_time = std::chrono::hours(1);
  return config;
}

TopicState state_of(const log::TopicConfig& config, const Options& options) {
  TopicState state;
  state.name = config.name;
  state.partition_count = config.partition_count;
  state.replication_factor = options.replication_factor;
  state.settings = settings_for_new_topic(config, options);
  return state;
}

TEST(TopicSettings, AreReadBackAsTheyWereGiven) {
  const log::TopicConfig config = some_topic();

  const auto read = config_of(state_of(config, {}), "web");

  ASSERT_TRUE(read);
  EXPECT_EQ(*read, config);
}

TEST(TopicSettings, KeepEverythingWhereNoRetentionIsNamed) {
  log::TopicConfig config = some_topic();
  config.retention_time.reset();

  const auto settings = settings_for_new_topic(config, {});

  EXPECT_EQ(settings.at("retention.ms"), "-1");
  EXPECT_EQ(settings.at("retention.bytes"), "-1");
}

TEST(TopicSettings, RefuseATopicWithFewerReplicasAndSayWhatToDo) {
  const Options wanted;
  Options fewer;
  fewer.replication_factor = 1;
  fewer.min_insync_replicas = 1;
  const TopicState state = state_of(some_topic(), fewer);

  const Status checked = check_topic(some_topic(), state, some_topic(), wanted);

  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), ErrorCode::kInvalid);
  EXPECT_NE(checked.error().message().find("kafka-reassign-partitions"), std::string::npos);
  EXPECT_TRUE(check_topic(some_topic(), state, some_topic(), fewer));
}

TEST(TopicSettings, RefuseATopicThatIsWrittenToWithTooFewInSync) {
  Options loose;
  loose.min_insync_replicas = 1;

  const Status checked =
      check_topic(some_topic(), state_of(some_topic(), loose), some_topic(), Options());

  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message().find("min.insync.replicas=2"), std::string::npos);
}

}  // namespace
}  // namespace penstock::kafka
