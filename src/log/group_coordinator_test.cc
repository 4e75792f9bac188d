#include "log/group_coordinator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "testing/random.h"

namespace penstock::log {
namespace {

using Kind = Consumer::Rebalance::Kind;
using MemberId = GroupCoordinator::MemberId;
using TopicPartitions = GroupCoordinator::TopicPartitions;

TopicPartition at(std::uint32_t topic, std::int32_t partition) {
  return {TopicId(topic), PartitionId(partition)};
}

const std::vector<TopicPartitions> kOneTopic = {{TopicId(1), 4}};

// Takes every step the coordinator asks of the members, at once.
void settle(GroupCoordinator& groups, const std::vector<MemberId>& members) {
  for (bool moved = true; moved;) {
    moved = false;
    for (const MemberId member : members) {
      while (const auto rebalance = groups.next_rebalance(member)) {
        moved = true;
        if (rebalance->kind == Kind::kRevoked) {
          ASSERT_TRUE(groups.finish_revocation(member));
        }
      }
    }
  }
}

TEST(GroupCoordinator, GivesASingleMemberEverything) {
  GroupCoordinator groups;
  const MemberId member = *groups.join("g", "", kOneTopic);

  const auto rebalance = groups.next_rebalance(member);

  ASSERT_TRUE(rebalance);
  EXPECT_EQ(rebalance->kind, Kind::kAssigned);
  EXPECT_EQ(rebalance->partitions, (std::vector{at(1, 0), at(1, 1), at(1, 2), at(1, 3)}));
  EXPECT_FALSE(groups.next_rebalance(member));
}

TEST(GroupCoordinator, KeepsEqualPartitionNumbersOfAllTopicsTogether) {
  GroupCoordinator groups;
  const std::vector<TopicPartitions> topics = {{TopicId(1), 4}, {TopicId(2), 2}};
  const MemberId first = *groups.join("g", "a", topics);
  const MemberId second = *groups.join("g", "b", topics);

  settle(groups, {first, second});

  EXPECT_EQ(groups.owned_by(first), (std::vector{at(1, 0), at(1, 1), at(2, 0), at(2, 1)}));
  EXPECT_EQ(groups.owned_by(second), (std::vector{at(1, 2), at(1, 3)}));
}

TEST(GroupCoordinator, GivesAPartitionOnOnlyAfterItsOwnerIsDone) {
  GroupCoordinator groups;
  const MemberId first = *groups.join("g", "", kOneTopic);
  settle(groups, {first});
  const MemberId second = *groups.join("g", "", kOneTopic);

  EXPECT_FALSE(groups.next_rebalance(second)) << "still owned by the first member";
  const auto revoked = groups.next_rebalance(first);
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->kind, Kind::kRevoked);
  EXPECT_EQ(revoked->partitions, (std::vector{at(1, 2), at(1, 3)}));
  EXPECT_TRUE(groups.check_commit(groups.metadata(first), at(1, 2)));
  EXPECT_FALSE(groups.next_rebalance(second));

  ASSERT_TRUE(groups.finish_revocation(first));

  EXPECT_EQ(groups.check_commit(groups.metadata(first), at(1, 2)).error().code(),
            ErrorCode::kFenced);
  const auto assigned = groups.next_rebalance(second);
  ASSERT_TRUE(assigned);
  EXPECT_EQ(assigned->kind, Kind::kAssigned);
  EXPECT_EQ(assigned->partitions, (std::vector{at(1, 2), at(1, 3)}));
}

TEST(GroupCoordinator, LetsAMemberThatStaysCommitAcrossARebalance) {
  GroupCoordinator groups;
  const MemberId first = *groups.join("g", "", kOneTopic);
  settle(groups, {first});
  const GroupMetadata before = groups.metadata(first);

  const MemberId second = *groups.join("g", "", kOneTopic);
  settle(groups, {first, second});

  EXPECT_TRUE(groups.check_commit(before, at(1, 0)));
  EXPECT_EQ(groups.check_commit(before, at(1, 3)).error().code(), ErrorCode::kFenced);
}

TEST(GroupCoordinator, FencesAGenerationFromBeforeAPartitionCameBack) {
  GroupCoordinator groups;
  const MemberId first = *groups.join("g", "", kOneTopic);
  settle(groups, {first});
  const GroupMetadata before = groups.metadata(first);
  const MemberId second = *groups.join("g", "", kOneTopic);
  settle(groups, {first, second});

  groups.leave(second);
  settle(groups, {first});

  EXPECT_EQ(groups.check_commit(before, at(1, 3)).error().code(), ErrorCode::kFenced);
  EXPECT_TRUE(groups.check_commit(groups.metadata(first), at(1, 3)));
}

TEST(GroupCoordinator, HandsTheShareOfAMemberThatLeftToTheOthers) {
  GroupCoordinator groups;
  const MemberId first = *groups.join("g", "", kOneTopic);
  const MemberId second = *groups.join("g", "", kOneTopic);
  settle(groups, {first, second});
  const GroupMetadata left = groups.metadata(second);

  groups.leave(second);
  settle(groups, {first});

  EXPECT_EQ(groups.owned_by(first).size(), 4U);
  EXPECT_EQ(groups.check_commit(left, at(1, 3)).error().code(), ErrorCode::kFenced);
}

TEST(GroupCoordinator, ReplacesAMemberOfTheSameInstanceAndFencesIt) {
  GroupCoordinator groups;
  const MemberId old_member = *groups.join("g", "host-1", kOneTopic);
  const MemberId other = *groups.join("g", "host-2", kOneTopic);
  settle(groups, {old_member, other});
  const GroupMetadata zombie = groups.metadata(old_member);

  const MemberId new_member = *groups.join("g", "host-1", kOneTopic);

  const auto told = groups.next_rebalance(old_member);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->kind, Kind::kLost);
  EXPECT_FALSE(groups.next_rebalance(old_member));
  EXPECT_EQ(groups.check_commit(zombie, at(1, 0)).error().code(), ErrorCode::kFenced);
  settle(groups, {new_member, other});
  EXPECT_EQ(groups.owned_by(new_member), (std::vector{at(1, 0), at(1, 1)}));
  EXPECT_EQ(groups.owned_by(other), (std::vector{at(1, 2), at(1, 3)}));
  groups.leave(old_member);
  EXPECT_EQ(groups.owned_by(new_member).size(), 2U);
}

TEST(GroupCoordinator, RefusesMembersThatNameOtherTopics) {
  GroupCoordinator groups;
  ASSERT_TRUE(groups.join("g", "", kOneTopic));

  const auto other = groups.join("g", "", {{TopicId(2), 4}});

  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), ErrorCode::kInvalid);
}

TEST(GroupCoordinator, RefusesCommitsOfStrangers) {
  GroupCoordinator groups;
  const MemberId member = *groups.join("g", "", kOneTopic);
  settle(groups, {member});

  for (const char* name : {"", "member-", "member-99", "member-1x", "someone"}) {
    const GroupMetadata stranger{"g", name, 1000};
    EXPECT_EQ(groups.check_commit(stranger, at(1, 0)).error().code(), ErrorCode::kFenced) << name;
  }
}

// I1 under random joins, leaves and half-finished revocations.
TEST(GroupCoordinator, NeverGivesAPartitionToTwoMembers) {
  testing::SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    GroupCoordinator groups;
    std::vector<MemberId> members;
    std::map<TopicPartition, MemberId> owners;
    for (int step = 0; step < 60; ++step) {
      const auto dice = random.below(10);
      if (members.empty() || (dice == 0 && members.size() < 6)) {
        members.push_back(*groups.join("g", "", {{TopicId(1), 7}, {TopicId(2), 3}}));
      } else if (dice == 1) {
        const std::size_t leaver = random.below(members.size());
        std::erase_if(owners, [&](const auto& o) { return o.second == members[leaver]; });
        groups.leave(members[leaver]);
        members.erase(members.begin() + static_cast<std::ptrdiff_t>(leaver));
      } else {
        const MemberId member = members[random.below(members.size())];
        const auto rebalance = groups.next_rebalance(member);
        if (rebalance && rebalance->kind == Kind::kAssigned) {
          for (const TopicPartition& partition : rebalance->partitions) {
            ASSERT_TRUE(owners.emplace(partition, member).second);
          }
        } else if (!rebalance && random.below(2) == 0) {
          ASSERT_TRUE(groups.finish_revocation(member));
          std::erase_if(owners, [&](const auto& o) {
            const auto owned = groups.owned_by(member);
            return o.second == member &&
                   std::find(owned.begin(), owned.end(), o.first) == owned.end();
          });
        }
      }
    }
    for (const MemberId member : members) {
      ASSERT_TRUE(groups.finish_revocation(member));  // those told above and not answered yet
    }
    settle(groups, members);
    std::size_t owned = 0;
    for (const MemberId member : members) {
      owned += groups.owned_by(member).size();
    }
    EXPECT_EQ(owned, members.empty() ? 0U : 10U);
  }
}

}  // namespace
}  // namespace penstock::log
