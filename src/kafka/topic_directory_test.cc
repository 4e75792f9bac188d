#include "kafka/topic_directory.h"

#include <gtest/gtest.h>

namespace penstock::kafka {
namespace {

log::TopicConfig topic(const std::string& name, std::int32_t partition_count = 1) {
  log::TopicConfig config;
  config.name = name;
  config.partition_count = partition_count;
  return config;
}

TEST(TopicDirectory, KeepsItsNumbersAndNeverGivesOneTwice) {
  TopicDirectory directory("");
  const TopicId web = directory.put(topic("web")).id;

  EXPECT_EQ(directory.put(topic("web")).id, web);
  directory.remove("web");
  EXPECT_FALSE(directory.find(web).has_value());
  EXPECT_NE(directory.put(topic("web")).id, web);
}

TEST(TopicDirectory, TakesATopicWithFewerPartitionsForAnotherOne) {
  TopicDirectory directory("");
  const TopicId web = directory.put(topic("web", 3)).id;

  EXPECT_EQ(directory.put(topic("web", 4)).id, web) << "partitions were added";
  EXPECT_NE(directory.put(topic("web", 2)).id, web);
}

TEST(TopicDirectory, ForgetsATopicOnlyWhenItIsMissingTwice) {
  TopicDirectory directory("");
  const TopicId web = directory.put(topic("web")).id;

  directory.put_all({topic("app")});
  EXPECT_TRUE(directory.find(web).has_value());
  directory.put_all({topic("app"), topic("web")});
  directory.put_all({topic("app")});
  EXPECT_EQ(directory.find("web"), web);
  directory.put_all({topic("app")});

  EXPECT_FALSE(directory.find("web").has_value());
  ASSERT_EQ(directory.all().size(), 1U);
  EXPECT_EQ(directory.all()[0].config.name, "app");
}

TEST(TopicDirectory, PutsThePrefixInFrontAndTakesItAway) {
  TopicDirectory directory("team.");
  const TopicId web = directory.put(topic("web", 2)).id;

  EXPECT_EQ(*directory.check({web, PartitionId(1)}), "team.web");
  EXPECT_EQ(directory.name_of("team.web"), "web");
  EXPECT_FALSE(directory.name_of("other.web").has_value());
  EXPECT_EQ(directory.check({web, PartitionId(2)}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(directory.check({TopicId(99), PartitionId(0)}).error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace penstock::kafka
