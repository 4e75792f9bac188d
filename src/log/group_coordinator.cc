#include "log/group_coordinator.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace penstock::log {
namespace {

std::string member_name(GroupCoordinator::MemberId member) {
  return "member-" + std::to_string(member.value());
}

std::optional<GroupCoordinator::MemberId> parse_member_name(std::string_view name) {
  constexpr std::string_view kPrefix = "member-";
  if (!name.starts_with(kPrefix)) {
    return std::nullopt;
  }
  name.remove_prefix(kPrefix.size());
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (failure != std::errc{} || end != name.data() + name.size()) {
    return std::nullopt;
  }
  return GroupCoordinator::MemberId(number);
}

Error fenced(std::string message) {
  return {ErrorCode::kFenced, std::move(message)};
}

}  // namespace

Result<GroupCoordinator::MemberId> GroupCoordinator::join(std::string_view group_id,
                                                          std::string_view instance_id,
                                                          std::vector<TopicPartitions> topics) {
  auto found = groups_.find(group_id);
  if (found != groups_.end() && !found->second.members.empty() && found->second.topics != topics) {
    return Error(ErrorCode::kInvalid, "group " + std::string(group_id) +
                                          " is reading other topics: its members must all name "
                                          "the same ones");
  }
  if (found == groups_.end()) {
    found = groups_.emplace(std::string(group_id), Group{}).first;
  }
  Group& group = found->second;
  group.topics = std::move(topics);

  const MemberId member(next_member_++);
  Member entry;
  entry.group_id = group_id;
  entry.instance_id = instance_id;
  members_.emplace(member, std::move(entry));
  if (const auto replaced = replace_instance(group, instance_id, member); !replaced) {
    group.members.push_back(member);
  }
  std::stable_sort(group.members.begin(), group.members.end(), [&](MemberId a, MemberId b) {
    return members_.at(a).instance_id < members_.at(b).instance_id;
  });
  rebalance(group);
  return member;
}

// The predecessor loses everything at once: it is the same instance, so it is gone or a zombie.
std::optional<GroupCoordinator::MemberId> GroupCoordinator::replace_instance(
    Group& group, std::string_view instance_id, MemberId successor) {
  if (instance_id.empty()) {
    return std::nullopt;
  }
  for (MemberId& member : group.members) {
    if (members_.at(member).instance_id == instance_id) {
      const MemberId replaced = member;
      release_all(group, replaced);
      members_.at(replaced).active = false;
      member = successor;
      return replaced;
    }
  }
  return std::nullopt;
}

void GroupCoordinator::leave(MemberId member) {
  const auto found = members_.find(member);
  if (found == members_.end()) {
    return;
  }
  const bool was_active = found->second.active;
  Group& group = groups_.find(found->second.group_id)->second;
  members_.erase(found);
  if (was_active) {
    release_all(group, member);
    std::erase(group.members, member);
    rebalance(group);
  }
}

void GroupCoordinator::release_all(Group& group, MemberId member) {
  std::erase_if(group.owned, [&](const auto& entry) { return entry.second.member == member; });
}

// Range by partition number: with n members, member i targets numbers [i*max/n, (i+1)*max/n).
void GroupCoordinator::rebalance(Group& group) {
  ++group.generation;
  group.target.clear();
  if (group.members.empty()) {
    return;
  }
  std::int64_t numbers = 0;
  for (const TopicPartitions& topic : group.topics) {
    numbers = std::max<std::int64_t>(numbers, topic.partition_count);
  }
  const auto member_count = static_cast<std::int64_t>(group.members.size());
  for (std::int64_t i = 0; i < member_count; ++i) {
    const std::int64_t first = i * numbers / member_count;
    const std::int64_t end = (i + 1) * numbers / member_count;
    for (const TopicPartitions& topic : group.topics) {
      for (std::int64_t p = first; p < std::min<std::int64_t>(end, topic.partition_count); ++p) {
        const TopicPartition at{topic.topic, PartitionId(static_cast<std::int32_t>(p))};
        group.target[at] = group.members[static_cast<std::size_t>(i)];
      }
    }
  }
}

std::optional<Consumer::Rebalance> GroupCoordinator::next_rebalance(MemberId member) {
  const auto found = members_.find(member);
  PENSTOCK_CHECK(found != members_.end());
  Member& self = found->second;
  using Kind = Consumer::Rebalance::Kind;
  if (!self.active) {
    return std::exchange(self.lost_told, true)
               ? std::nullopt
               : std::optional(Consumer::Rebalance{Kind::kLost, {}});
  }
  if (!self.revoking.empty()) {
    return std::nullopt;
  }
  Group& group = groups_.find(self.group_id)->second;
  for (const auto& [partition, ownership] : group.owned) {
    const auto target = group.target.find(partition);
    if (ownership.member == member && (target == group.target.end() || target->second != member)) {
      self.revoking.push_back(partition);
    }
  }
  if (!self.revoking.empty()) {
    return Consumer::Rebalance{Kind::kRevoked, self.revoking};
  }
  std::vector<TopicPartition> assigned;
  for (const auto& [partition, target] : group.target) {
    if (target == member && !group.owned.contains(partition)) {
      group.owned[partition] = Ownership{member, group.generation};  // I1
      assigned.push_back(partition);
    }
  }
  const bool has_none =
      std::ranges::none_of(group.target, [&](const auto& entry) { return entry.second == member; });
  if (assigned.empty() && (self.assigned_told || !has_none)) {
    return std::nullopt;
  }
  self.assigned_told = true;
  return Consumer::Rebalance{Kind::kAssigned, std::move(assigned)};
}

Status GroupCoordinator::finish_revocation(MemberId member) {
  const auto found = members_.find(member);
  if (found == members_.end() || !found->second.active) {
    return fenced(member_name(member) + " is no longer in its group");
  }
  Group& group = groups_.find(found->second.group_id)->second;
  for (const TopicPartition& partition : found->second.revoking) {
    group.owned.erase(partition);
  }
  found->second.revoking.clear();
  return {};
}

GroupMetadata GroupCoordinator::metadata(MemberId member) const {
  const auto found = members_.find(member);
  PENSTOCK_CHECK(found != members_.end());
  const Group& group = groups_.find(found->second.group_id)->second;
  // A replaced member keeps a generation from before: check_commit() refuses it anyway (I2).
  return {found->second.group_id, member_name(member), group.generation};
}

Status GroupCoordinator::check_commit(const GroupMetadata& metadata,
                                      TopicPartition partition) const {
  const auto member = parse_member_name(metadata.member_id);
  const auto group = groups_.find(metadata.group_id);
  if (!member || group == groups_.end()) {
    return fenced("group " + metadata.group_id + " has no member " + metadata.member_id);
  }
  const auto owner = group->second.owned.find(partition);
  if (owner == group->second.owned.end() || owner->second.member != *member ||
      metadata.generation < owner->second.since_generation) {
    return fenced(metadata.member_id + " of group " + metadata.group_id +
                  " does not own partition " + to_string(partition.partition) + " of topic " +
                  to_string(partition.topic) + " in generation " +
                  std::to_string(metadata.generation));
  }
  return {};
}

std::vector<TopicPartition> GroupCoordinator::owned_by(MemberId member) const {
  std::vector<TopicPartition> owned;
  const auto found = members_.find(member);
  if (found == members_.end()) {
    return owned;
  }
  for (const auto& [partition, ownership] : groups_.find(found->second.group_id)->second.owned) {
    if (ownership.member == member) {
      owned.push_back(partition);
    }
  }
  return owned;
}

std::vector<GroupCoordinator::MemberId> GroupCoordinator::members_of(
    std::string_view group_id) const {
  std::vector<MemberId> members;
  for (const auto& [id, member] : members_) {
    if (member.group_id == group_id) {
      members.push_back(id);
    }
  }
  return members;
}

}  // namespace penstock::log
