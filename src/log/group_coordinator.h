// GroupCoordinator decides which member of a consumer group owns which partition.
//
// It does for a log inside this process what Kafka's group coordinator does for a cluster:
// members join and leave, partitions are shared out by ranges of partition numbers (so that equal
// numbers of all topics go to the same member, as tasks need), and moves are cooperative: only
// partitions that change hands are revoked, and they are given on only after their owner has said
// that it is done (KIP-429). A member that joins under the instance id of another one replaces it
// and inherits its place (KIP-345).
//
// Invariants
//   I1  A partition has at most one owner at any time, from kAssigned until finish_revocation(),
//       leave() or being replaced.
//   I2  Commits are accepted from a partition's owner only; an owner that has been replaced or has
//       left is fenced, whatever it still holds.
//   I3  The generation of a group grows with every change of membership and is never used twice.
//
// Threads   none of its own; the log that uses it guards it with its own lock, and wakes the
//           group's members after join(), leave() and finish_revocation().
// Errors    kFenced   the member has left, was replaced, or does not own the partition
//           kInvalid  members of one group named different topics
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "log/log.h"
#include "log/types.h"
#include "record/types.h"

namespace penstock::log {

class GroupCoordinator {
 public:
  using MemberId = StrongId<struct MemberIdTag, std::uint64_t>;

  struct TopicPartitions {
    TopicId topic;
    std::int32_t partition_count = 0;

    friend bool operator==(const TopicPartitions&, const TopicPartitions&) = default;
  };

  // `instance_id` may be empty: an ordinary member.
  [[nodiscard]] Result<MemberId> join(std::string_view group_id, std::string_view instance_id,
                                      std::vector<TopicPartitions> topics);

  // Frees what the member owns at once. Leaving twice, or after being replaced, does nothing.
  void leave(MemberId member);

  // What the member has to be told next, if anything. A new member for which there is no partition
  // is told kAssigned with none, once. kRevoked is told once; until
  // finish_revocation() nothing else follows. A replaced member is told kLost, once.
  [[nodiscard]] std::optional<Consumer::Rebalance> next_rebalance(MemberId member);

  [[nodiscard]] Status finish_revocation(MemberId member);

  [[nodiscard]] GroupMetadata metadata(MemberId member) const;

  // Whether a commit that carries `metadata` may move the offset of `partition`.
  [[nodiscard]] Status check_commit(const GroupMetadata& metadata, TopicPartition partition) const;

  // Sorted. For tests and for operators.
  [[nodiscard]] std::vector<TopicPartition> owned_by(MemberId member) const;
  // The members whose next_rebalance() may have changed when this one's group did.
  [[nodiscard]] std::vector<MemberId> members_of(std::string_view group_id) const;

 private:
  struct Member {
    std::string group_id;
    std::string instance_id;
    bool active = true;  // false: replaced; kept until it has been told and leaves
    bool lost_told = false;
    bool assigned_told = false;            // that it has partitions, or that there are none for it
    std::vector<TopicPartition> revoking;  // told to give these up, not yet done
  };

  struct Ownership {
    MemberId member;
    std::int32_t since_generation = 0;
  };

  struct Group {
    std::int32_t generation = 0;
    std::vector<TopicPartitions> topics;
    std::vector<MemberId> members;  // active ones, by instance id, then by time of joining
    std::map<TopicPartition, MemberId> target;
    std::map<TopicPartition, Ownership> owned;
  };

  void rebalance(Group& group);
  void release_all(Group& group, MemberId member);
  std::optional<MemberId> replace_instance(Group& group, std::string_view instance_id,
                                           MemberId successor);

  std::map<std::string, Group, std::less<>> groups_;
  std::map<MemberId, Member> members_;
  std::uint64_t next_member_ = 1;
};

}  // namespace penstock::log
