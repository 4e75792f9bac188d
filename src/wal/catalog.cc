#include "wal/catalog.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/check.h"
#include "log/topic_rules.h"

namespace penstock::wal {
namespace {

Error corrupt(std::string message) {
  return {ErrorCode::kCorrupt, std::move(message)};
}

bool by_first_offset(const Ref<Run>& left, const Ref<Run>& right) {
  return left->summary.first < right->summary.first;
}

}  // namespace

// --- Partition ---------------------------------------------------------------------------------

std::vector<Ref<Run>>::const_iterator Partition::run_at(Offset offset) const {
  return std::partition_point(runs.begin(), runs.end(),
                              [&](const Ref<Run>& run) { return run->summary.last < offset; });
}

RewriteId Partition::rewrite_at(Offset offset) const {
  const auto found = std::partition_point(intervals.begin(), intervals.end(),
                                          [&](const Interval& i) { return i.last < offset; });
  return found != intervals.end() && found->first <= offset ? found->rewrite : kAppended;
}

Offset Partition::skip_lost(Offset offset) const {
  const auto behind = [&](const Interval& interval) { return interval.last < offset; };
  auto at = std::partition_point(intervals.begin(), intervals.end(), behind);
  for (; at != intervals.end() && at->first <= offset && at->rewrite == kLost; ++at) {
    offset = at->last + 1;
  }
  return offset;
}

bool Partition::is_effective(const RunSummary& run) const {
  return run.last >= start && rewrite_at(std::max(run.first, start)) == run.rewrite;
}

void set_interval(std::vector<Interval>& intervals, const Interval& interval) {
  std::vector<Interval> result;
  result.reserve(intervals.size() + 2);
  for (const Interval& old : intervals) {
    if (old.first < interval.first) {
      result.push_back({old.first, std::min(old.last, interval.first + -1), old.rewrite});
    }
    if (old.last > interval.last) {
      result.push_back({std::max(old.first, interval.last + 1), old.last, old.rewrite});
    }
  }
  if (interval.rewrite != kAppended) {
    result.push_back(interval);
  }
  std::sort(result.begin(), result.end(),
            [](const Interval& a, const Interval& b) { return a.first < b.first; });
  intervals = std::move(result);
}

// --- Looking -----------------------------------------------------------------------------------

const Topic* Catalog::find(TopicId id) const {
  return id.value() < by_id_.size() ? by_id_[id.value()].get() : nullptr;
}

const Topic* Catalog::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const Partition* Catalog::find(TopicPartition at) const {
  const Topic* topic = find(at.topic);
  // A negative number becomes a huge one and is refused likewise.
  const auto index = static_cast<std::size_t>(at.partition.value());
  return topic != nullptr && index < topic->partitions.size() ? &topic->partitions[index] : nullptr;
}

Partition* Catalog::find(TopicPartition at) {
  return const_cast<Partition*>(std::as_const(*this).find(at));
}

std::vector<log::TopicInfo> Catalog::topics() const {
  std::vector<log::TopicInfo> all;
  all.reserve(by_name_.size());
  for (const auto& [name, topic] : by_name_) {
    all.push_back(topic->info);
  }
  return all;
}

const Catalog::GroupOffsets* Catalog::offsets_of(std::string_view group_id) const {
  const auto found = offsets_.find(group_id);
  return found == offsets_.end() ? nullptr : &found->second;
}

const ProducerState* Catalog::producer(std::string_view transactional_id) const {
  const auto found = producers_.find(transactional_id);
  return found == producers_.end() ? nullptr : &found->second;
}

SegmentState* Catalog::find_segment(SegmentNumber number) {
  const auto found = segments_.find(number);
  return found == segments_.end() ? nullptr : &found->second;
}

std::vector<Ref<Run>> Catalog::effective_runs(SegmentNumber number) const {
  std::vector<Ref<Run>> found;
  for (const auto& topic : by_id_) {
    for (std::size_t i = 0; topic != nullptr && i < topic->partitions.size(); ++i) {
      const std::vector<Ref<Run>>& runs = topic->partitions[i].runs;
      std::copy_if(runs.begin(), runs.end(), std::back_inserter(found),
                   [&](const Ref<Run>& run) { return run->segment->number == number; });
    }
  }
  return found;
}

std::vector<LostRange> Catalog::lost() const {
  std::vector<LostRange> lost;
  for_each_topic([&](const Topic& topic) {
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const TopicPartition at{topic.info.id, PartitionId(static_cast<std::int32_t>(i))};
      for (const Interval& interval : topic.partitions[i].intervals) {
        if (interval.rewrite == kLost) {
          lost.push_back({at, interval.first, interval.last});
        }
      }
    }
  });
  return lost;
}

std::string describe(const Catalog& catalog, TopicPartition partition) {
  const Topic* topic = catalog.find(partition.topic);
  return "partition " + to_string(partition.partition) + " of topic " +
         (topic != nullptr ? topic->info.config.name : "number " + to_string(partition.topic));
}

// --- Applying entries --------------------------------------------------------------------------

Status Catalog::apply(const Entry& entry) {
  return std::visit(
      [this](const auto& e) -> Status {
        using E = std::remove_cvref_t<decltype(e)>;
        if constexpr (std::is_same_v<E, OffsetEntry>) {
          apply_offset(e);
          return {};
        } else if constexpr (std::is_same_v<E, ProducerEntry>) {
          producers_[std::string(e.transactional_id)] = {e.producer, e.epoch};
          counters_.next_producer = std::max(counters_.next_producer, e.producer.value() + 1);
          return {};
        } else if constexpr (std::is_same_v<E, TopicEntry>) {
          return apply_topic(e);
        } else if constexpr (std::is_same_v<E, TopicDeletedEntry>) {
          return apply_deleted(e);
        } else if constexpr (std::is_same_v<E, StartEntry>) {
          return apply_start(e);
        } else if constexpr (std::is_same_v<E, ReplacedEntry>) {
          return apply_replaced(e);
        } else if constexpr (std::is_same_v<E, RetiredEntry>) {
          segments_.erase(e.number);
          return {};
        } else if constexpr (std::is_same_v<E, PartitionEntry>) {
          return apply_partition(e);
        } else if constexpr (std::is_same_v<E, CountersEntry>) {
          counters_ = e;
          return {};
        } else {
          static_assert(std::is_same_v<E, BatchEntry> || std::is_same_v<E, SegmentEntry>);
          return corrupt("an entry is where none of its kind can be");
        }
      },
      entry);
}

Status Catalog::apply_topic(const TopicEntry& entry) {
  if (entry.id.value() > kTopicIdMax || !log::check_topic_config(entry.config)) {
    return corrupt("the settings of topic number " + to_string(entry.id) + " make no sense");
  }
  if (entry.id.value() < by_id_.size() && by_id_[entry.id.value()] != nullptr) {
    Topic& topic = *by_id_[entry.id.value()];
    if (!log::check_same_topic(topic.info.config, entry.config)) {
      return corrupt("topic " + topic.info.config.name + " changes what cannot change");
    }
    topic.info.config = entry.config;
    return {};
  }
  if (by_name_.contains(entry.config.name)) {
    return corrupt("topic " + entry.config.name + " is created twice");
  }
  if (entry.id.value() >= by_id_.size()) {
    by_id_.resize(std::size_t{entry.id.value()} + 1);
  }
  auto topic = std::make_unique<Topic>();
  topic->info = {entry.id, entry.config};
  topic->partitions.resize(static_cast<std::size_t>(entry.config.partition_count));
  by_name_[entry.config.name] = topic.get();
  by_id_[entry.id.value()] = std::move(topic);
  counters_.next_topic = std::max(counters_.next_topic, entry.id.value() + 1);  // I3
  return {};
}

Status Catalog::apply_deleted(const TopicDeletedEntry& entry) {
  const Topic* topic = find(entry.id);
  if (topic == nullptr) {
    return corrupt("a topic is deleted that is not there: number " + to_string(entry.id));
  }
  for (const Partition& partition : topic->partitions) {
    for (const Ref<Run>& run : partition.runs) {
      set_effective(*run, false);
    }
    for (const Ref<Reader>& reader : partition.readers) {
      reader->signal.raise();
    }
  }
  for (auto& [group, offsets] : offsets_) {
    std::erase_if(offsets, [&](const auto& e) { return e.first.topic == entry.id; });
  }
  by_name_.erase(topic->info.config.name);
  by_id_[entry.id.value()].reset();
  return {};
}

Status Catalog::apply_start(const StartEntry& entry) {
  Partition* partition = find(entry.partition);
  if (partition == nullptr) {
    return {};  // deleted meanwhile
  }
  if (entry.start > partition->next) {
    return corrupt(describe(*this, entry.partition) + " starts behind its end");
  }
  if (entry.start <= partition->start) {
    return {};
  }
  partition->start = entry.start;
  set_interval(partition->intervals, {Offset(0), entry.start + -1, kAppended});
  make_effective(*partition, std::exchange(partition->runs, {}));
  std::erase_if(partition->moved,
                [&](const Ref<Run>& run) { return run->summary.last < entry.start; });
  return {};
}

Status Catalog::apply_replaced(const ReplacedEntry& entry) {
  counters_.next_rewrite = std::max(counters_.next_rewrite, entry.rewrite.value() + 1);
  Partition* partition = find(entry.partition);
  if (partition == nullptr || entry.last < partition->start) {
    return {};  // deleted, or out of retention, meanwhile
  }
  if (entry.first > entry.last || entry.last >= partition->next || entry.rewrite == kAppended) {
    return corrupt(describe(*this, entry.partition) + " has replaced offsets that it never had");
  }
  set_interval(partition->intervals,
               {std::max(entry.first, partition->start), entry.last, entry.rewrite});
  std::vector<Ref<Run>> candidates = std::exchange(partition->runs, {});
  candidates.insert(candidates.end(), partition->moved.begin(), partition->moved.end());
  partition->moved.clear();
  make_effective(*partition, std::move(candidates));
  return {};
}

Status Catalog::apply_partition(const PartitionEntry& entry) {
  Partition* partition = find(entry.partition);
  if (partition == nullptr || entry.start > entry.next || entry.start < Offset(0)) {
    return corrupt("the snapshot of " + describe(*this, entry.partition) + " makes no sense");
  }
  partition->start = entry.start;
  partition->next = entry.next;
  partition->end = entry.next;
  partition->intervals = entry.intervals;
  return {};
}

void Catalog::apply_offset(const OffsetEntry& entry) {
  if (find(entry.partition) == nullptr) {
    return;  // deleted meanwhile
  }
  auto group = offsets_.find(entry.group_id);
  if (group == offsets_.end()) {
    group = offsets_.emplace(std::string(entry.group_id), GroupOffsets{}).first;
  }
  group->second[entry.partition] = {entry.partition, entry.next_offset,
                                    std::string(entry.metadata)};
}

void Catalog::publish(Partition& partition, TopicPartition to, const IndexEntry& entry,
                      std::int64_t written_ms) {
  PENSTOCK_DCHECK(entry.base == partition.end);
  SegmentState& segment = active();
  Run* tail = partition.runs.empty() ? nullptr : partition.runs.back().get();
  if (tail != nullptr && tail->segment->number == active_ && tail->summary.rewrite == kAppended &&
      tail->continues_with(entry)) {
    tail->add(entry, written_ms);
  } else {
    partition.runs.push_back(make_ref<Run>(segment.segment, to, kAppended, entry, written_ms));
    partition.runs.back()->effective = true;
    segment.runs.push_back(partition.runs.back());
  }
  segment.live_bytes += entry.size;
  partition.end = entry.last() + 1;
}

void Catalog::publish_moved(Partition& partition, TopicPartition to, RewriteId rewrite,
                            const IndexEntry& entry, std::int64_t written_ms) {
  counters_.next_rewrite = std::max(counters_.next_rewrite, rewrite.value() + 1);
  Run* tail = partition.moved.empty() ? nullptr : partition.moved.back().get();
  if (tail != nullptr && tail->segment->number == active_ && tail->summary.rewrite == rewrite &&
      tail->continues_with(entry)) {
    tail->add(entry, written_ms);
    return;
  }
  SegmentState& segment = active();
  partition.moved.push_back(make_ref<Run>(segment.segment, to, rewrite, entry, written_ms));
  segment.runs.push_back(partition.moved.back());
}

void Catalog::drop_moved(TopicPartition at) {
  if (Partition* partition = find(at); partition != nullptr) {
    partition->moved.clear();
  }
}

// `candidates` include all runs that are effective now.
void Catalog::make_effective(Partition& partition, std::vector<Ref<Run>> candidates) {
  for (Ref<Run>& run : candidates) {
    set_effective(*run, partition.is_effective(run->summary));
    if (run->effective) {
      partition.runs.push_back(std::move(run));
    }
  }
  std::sort(partition.runs.begin(), partition.runs.end(), by_first_offset);
}

void Catalog::set_effective(Run& run, bool effective) {
  SegmentState* segment = find_segment(run.segment->number);
  if (run.effective == effective || segment == nullptr) {
    return;
  }
  run.effective = effective;
  if (effective) {
    segment->live_bytes += run.summary.size_bytes;  // I2
  } else {
    PENSTOCK_CHECK(segment->live_bytes >= run.summary.size_bytes);
    segment->live_bytes -= run.summary.size_bytes;
  }
}

// --- Segments ----------------------------------------------------------------------------------

void Catalog::add_segment(SegmentState segment) {
  const SegmentNumber number = segment.segment->number;
  PENSTOCK_CHECK(segments_.emplace(number, std::move(segment)).second);
}

void Catalog::set_active(SegmentNumber number) {
  if (SegmentState* before = find_segment(active_); before != nullptr) {
    before->sealed = true;
  }
  PENSTOCK_CHECK(find_segment(number) != nullptr);
  active_ = number;
}

// --- Recovery ----------------------------------------------------------------------------------

Status Catalog::replay_batch(const BatchEntry& entry, const IndexEntry& at, bool accept_loss) {
  Partition* partition = find(entry.to);
  if (partition == nullptr) {
    return accept_loss ? Status()
                       : corrupt("a batch belongs to a topic that was never created, number " +
                                 to_string(entry.to.topic));
  }
  if (entry.rewrite != kAppended) {
    counters_.next_rewrite = std::max(counters_.next_rewrite, entry.rewrite.value() + 1);
    return {};
  }
  if (at.base != partition->next) {
    if (!accept_loss || at.base < partition->next) {
      return corrupt("a batch of " + describe(*this, entry.to) + " begins at offset " +
                     to_string(at.base) + " instead of " + to_string(partition->next));
    }
    set_interval(partition->intervals, {partition->next, at.base + -1, kLost});
  }
  partition->next = at.last() + 1;
  partition->end = partition->next;
  return {};
}

void Catalog::lose_next(TopicPartition at, std::uint64_t count) {
  Partition& partition = *find(at);
  const Offset next = partition.next + static_cast<std::int64_t>(count);
  set_interval(partition.intervals, {partition.next, next + -1, kLost});
  partition.next = next;
  partition.end = next;
}

Status Catalog::place_runs(const std::vector<Ref<Run>>& candidates, bool accept_loss) {
  std::map<TopicPartition, std::vector<Ref<Run>>> by_partition;
  for (const Ref<Run>& run : candidates) {
    if (find(run->summary.partition) != nullptr) {
      by_partition[run->summary.partition].push_back(run);
    }
  }
  for (auto& [at, runs] : by_partition) {
    make_effective(*find(at), std::move(runs));
  }
  for (const auto& topic : by_id_) {
    for (std::size_t i = 0; topic != nullptr && i < topic->partitions.size(); ++i) {
      const TopicPartition at{topic->info.id, PartitionId(static_cast<std::int32_t>(i))};
      PENSTOCK_TRY(check_cover(at, topic->partitions[i], accept_loss));
    }
  }
  return {};
}

Status Catalog::check_cover(TopicPartition at, Partition& partition, bool accept_loss) {
  Offset expected = partition.start;
  const auto require = [&](Offset begin) -> Status {  // I1 up to `begin`
    expected = std::max(expected, std::min(begin, partition.skip_lost(expected)));
    if (expected == begin) {
      return {};
    }
    if (accept_loss && expected < begin) {
      set_interval(partition.intervals, {expected, begin + -1, kLost});
      expected = begin;
      return {};
    }
    return corrupt("offsets " + to_string(expected) + " to " + to_string(begin + -1) + " of " +
                   describe(*this, at) + " are in no segment");
  };
  for (const Ref<Run>& run : partition.runs) {
    PENSTOCK_TRY(require(std::max(run->summary.first, partition.start)));
    expected = run->summary.last + 1;
  }
  return require(partition.next);
}

// --- Snapshot ----------------------------------------------------------------------------------

std::uint32_t Catalog::encode_snapshot(Bytes& to) const {
  std::uint32_t count = 0;
  const auto put = [&](const Entry& entry) {
    encode_entry(entry, to);
    ++count;
  };
  put(counters_);
  for (const auto& topic : by_id_) {
    if (topic == nullptr) {
      continue;
    }
    put(TopicEntry{topic->info.id, topic->info.config});
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const Partition& partition = topic->partitions[i];
      if (partition.end > Offset(0)) {
        const TopicPartition at{topic->info.id, PartitionId(static_cast<std::int32_t>(i))};
        put(PartitionEntry{at, partition.start, partition.end, partition.intervals});
      }
    }
  }
  for (const auto& [id, producer] : producers_) {
    put(ProducerEntry{id, producer.producer, producer.epoch});
  }
  for (const auto& [group, offsets] : offsets_) {
    for (const auto& [partition, commit] : offsets) {
      put(OffsetEntry{group, partition, commit.next_offset, commit.metadata});
    }
  }
  for (const auto& [number, segment] : segments_) {
    put(SegmentEntry{number, segment.segment->uuid, segment.end_position, segment.last_sequence,
                     segment.last_crc, segment.damage_accepted, segment.created_ms,
                     segment.last_append_ms});
  }
  return count;
}

}  // namespace penstock::wal
