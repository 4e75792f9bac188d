#include "simulation/wal_workload.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "core/check.h"
#include "core/completion.h"
#include "record/record_batch.h"

namespace penstock::simulation {
namespace {

using std::chrono_literals::operator""ms;

constexpr const char* kPlain = "plain";
constexpr const char* kOther = "other";
constexpr const char* kExpiring = "expiring";
constexpr const char* kCompacted = "compacted";
constexpr const char* kChurned = "churned";
constexpr const char* kGroup = "group";
constexpr std::int32_t kPlainPartitions = 3;
constexpr int kKeys = 5;

std::vector<log::TopicConfig> topics_of_the_script() {
  std::vector<log::TopicConfig> topics(4);
  topics[0].name = kPlain;
  topics[0].partition_count = kPlainPartitions;
  topics[1].name = kOther;
  topics[2].name = kExpiring;
  topics[2].retention_bytes = 40'000;
  topics[3].name = kCompacted;
  topics[3].cleanup = log::CleanupPolicy::kCompact;
  return topics;
}

struct RecordName {
  std::size_t write = 0;
  int index = 0;
};

// "w17:2" and padding.
std::string value_of(std::size_t write, int index) {
  std::string value = "w" + std::to_string(write) + ":" + std::to_string(index) + ";";
  return value + std::string(200 + (write * 37 + static_cast<std::size_t>(index) * 11) % 900, '.');
}

std::optional<RecordName> parse_value(std::string_view value) {
  RecordName name;
  if (value.empty() || value.front() != 'w') {
    return std::nullopt;
  }
  const char* const end = value.data() + value.size();
  const auto id = std::from_chars(value.data() + 1, end, name.write);
  if (id.ec != std::errc{} || id.ptr == end || *id.ptr != ':') {
    return std::nullopt;
  }
  const auto index = std::from_chars(id.ptr + 1, end, name.index);
  if (index.ec != std::errc{} || value != value_of(name.write, name.index)) {
    return std::nullopt;
  }
  return name;
}

}  // namespace

wal::Options wal_test_options() {
  wal::Options options;
  options.directory = "data/log";
  options.segment_bytes = 256 * kKiB;
  options.group_bytes_max = 16 * kKiB;
  options.append_bytes_max = 64 * kKiB;
  options.queue_bytes_max = kMiB;
  options.tail_cache_bytes = 64 * kKiB;
  options.reserve_bytes = 16 * kKiB;
  options.retention_interval = 0ms;
  options.compact_dirty_percent = 30;
  options.tombstone_retention = 5'000ms;
  options.proof_delay = 5ms;
  return options;
}

Result<std::unique_ptr<WalUnderTest>> WalUnderTest::open(os::FileSystem& disk,
                                                         const os::Clock& clock, std::uint64_t seed,
                                                         const wal::Options& options) {
  std::unique_ptr<WalUnderTest> under_test(new WalUnderTest(seed));
  PENSTOCK_TRY_ASSIGN(
      under_test->log_,
      wal::EmbeddedLog::open(options, disk, clock, under_test->random_, under_test->metrics_));
  return under_test;
}

// --- The script --------------------------------------------------------------------------------

bool WalWorkload::run(wal::EmbeddedLog& log, testing::SimClock& clock, int steps) {
  Session session;
  if (!start(log, session)) {
    return false;
  }
  for (int i = 0; i < steps; ++i) {
    if (!step(log, clock, session)) {
      return false;
    }
  }
  return true;
}

bool WalWorkload::start(wal::EmbeddedLog& log, Session& session) {
  for (const log::TopicConfig& config : topics_of_the_script()) {
    const auto topic = log.ensure_topic(config);
    if (!topic) {
      return false;
    }
    session.topics[config.name] = topic->id;
  }
  log::ConsumerOptions options;
  options.group_id = kGroup;
  options.topics = {session.topics.at(kPlain)};
  auto member = log.open_consumer(std::move(options));
  PENSTOCK_CHECK(member.has_value());
  session.member = *std::move(member);
  return session.member->poll(1).has_value() && renew_producer(log, session) &&
         session.producer != nullptr;
}

bool WalWorkload::step(wal::EmbeddedLog& log, testing::SimClock& clock, Session& session) {
  const std::uint64_t dice = random_.below(100);
  if (dice < 60) {
    for (std::uint64_t i = random_.below(3) + 1; i > 0; --i) {
      append(log, session);
    }
  } else if (dice < 85) {
    commit(session);
  } else if (dice < 88) {
    if (!renew_producer(log, session)) {
      return false;
    }
  } else if (dice < 92) {
    if (!churn_topic(log)) {
      return false;
    }
  } else {
    clock.advance(std::chrono::milliseconds(random_.below(2000)));
    if (const Status kept = log.maintain_once(clock.now()); !kept) {
      return false;
    }
  }
  clock.advance(std::chrono::milliseconds(random_.below(8)));
  return log.run_once(clock.now()).has_value();
}

WalWorkload::Write WalWorkload::random_write() {
  Write write;
  const std::uint64_t kind = random_.below(10);
  const auto records = [this] { return static_cast<int>(random_.below(3)) + 1; };
  if (kind < 2) {
    write.parts.push_back({kExpiring, 0, records() * 2, "", false});
  } else if (kind < 5) {
    const std::string key = "k" + std::to_string(random_.below(kKeys));
    write.parts.push_back({kCompacted, 0, 1, key, random_.below(5) == 0});
  } else {
    const auto first = static_cast<std::int32_t>(random_.below(kPlainPartitions));
    write.parts.push_back({kPlain, first, records(), "", false});
    if (kind < 8) {
      write.parts.push_back({kOther, 0, records(), "", false});
      write.parts.push_back({kPlain, (first + 1) % kPlainPartitions, records(), "", false});
    }
  }
  return write;
}

std::vector<log::PartitionBatch> WalWorkload::encode(const Session& session, std::size_t id) {
  std::vector<log::PartitionBatch> batches;
  BatchCompressor compressor(id % 4 == 0 ? Compression::kLz4 : Compression::kNone);
  for (const Part& part : writes_[id].parts) {
    RecordBatchBuilder builder;
    for (int i = 0; i < part.records; ++i) {
      const std::string value = value_of(id, i);
      builder.append(Timestamp(static_cast<std::int64_t>(id)),
                     part.key.empty() ? std::nullopt : std::optional(as_bytes(part.key)),
                     part.tombstone ? std::nullopt : std::optional(as_bytes(value)));
    }
    batches.push_back(
        {{session.topics.at(part.topic), PartitionId(part.partition)}, builder.finish(compressor)});
  }
  return batches;
}

void WalWorkload::settle(std::size_t id, bool acknowledged) {
  writes_[id].outcome = acknowledged ? Outcome::kAcknowledged : Outcome::kRefused;
}

void WalWorkload::append(wal::EmbeddedLog& log, Session& session) {
  const std::size_t id = writes_.size();
  writes_.push_back(random_write());
  const Status taken =
      log.append(encode(session, id), [this, id](Result<log::AppendResult> result) {
        if (result || result.error().code() != ErrorCode::kFatal) {
          settle(id, result.has_value());
        }
      });
  if (!taken) {
    settle(id, false);
  }
}

void WalWorkload::commit(Session& session) {
  const std::size_t id = writes_.size();
  writes_.push_back(random_write());
  writes_.back().is_transaction = true;
  if (!session.producer->begin()) {
    settle(id, false);
    return;
  }
  for (log::PartitionBatch& batch : encode(session, id)) {
    PENSTOCK_CHECK(session.producer->append(batch.to, std::move(batch.batch)).has_value());
  }
  const TopicPartition from{session.topics.at(kPlain), PartitionId(0)};
  PENSTOCK_CHECK(session.producer
                     ->commit_offsets(session.member->group_metadata(),
                                      {{from, Offset(static_cast<std::int64_t>(id)), "note"}})
                     .has_value());
  session.producer->commit([this, id](Status status) {
    if (status || status.error().code() != ErrorCode::kFatal) {
      settle(id, status.has_value());
    }
  });
}

bool WalWorkload::renew_producer(wal::EmbeddedLog& log, Session& session) {
  auto producer = log.open_transactional_producer("script");
  if (!producer) {
    return producer.error().code() != ErrorCode::kFatal;
  }
  session.producer = *std::move(producer);
  return true;
}

bool WalWorkload::churn_topic(wal::EmbeddedLog& log) {
  churn_unknown_ = true;
  if (churned_exists_) {
    const Status deleted = log.delete_topic(kChurned);
    if (!deleted) {
      return deleted.error().code() != ErrorCode::kFatal;
    }
  } else {
    log::TopicConfig config;
    config.name = kChurned;
    const auto created = log.ensure_topic(config);
    if (!created) {
      return created.error().code() != ErrorCode::kFatal;
    }
  }
  churned_exists_ = !churned_exists_;
  churn_unknown_ = false;
  return true;
}

// --- Checking ----------------------------------------------------------------------------------

// What is in the log: per topic and partition the records in order.
struct WalWorkload::Found {
  struct Record {
    Offset offset;
    std::string key;
    std::optional<RecordName> name;  // none: a tombstone
    std::size_t write = 0;           // from the timestamp, for tombstones as well
  };

  std::map<std::pair<std::string, std::int32_t>, std::vector<Record>> records;

  [[nodiscard]] const std::vector<Record>& of(const std::string& topic,
                                              std::int32_t partition) const {
    static const std::vector<Record> none;
    const auto found = records.find({topic, partition});
    return found == records.end() ? none : found->second;
  }
};

std::string WalWorkload::read_all(wal::EmbeddedLog& log, Found& found) {
  std::map<TopicPartition, std::pair<std::string, std::int32_t>> names;
  std::vector<log::Consumer::Position> positions;
  std::map<TopicPartition, Offset> expected;
  std::map<TopicPartition, Offset> ends;
  for (const log::TopicInfo& topic : log.topics()) {
    for (std::int32_t p = 0; p < topic.config.partition_count; ++p) {
      const TopicPartition at{topic.id, PartitionId(p)};
      const auto offsets = log.offsets(at);
      names[at] = {topic.config.name, p};
      positions.push_back({at, offsets->start});
      expected[at] = offsets->start;
      ends[at] = offsets->end;
    }
  }
  auto consumer = *log.open_consumer({});
  PENSTOCK_CHECK(consumer->assign(positions).has_value());
  while (expected != ends) {
    const auto polled = consumer->poll(16 * kKiB);
    if (!polled) {
      return "cannot be read: " + polled.error().message();
    }
    if (polled->batches.empty()) {
      return "the readers stop before the end";
    }
    for (const log::FetchedBatch& fetched : polled->batches) {
      const auto batch = RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kChecksum);
      Offset& next = expected[fetched.from];
      if (!batch || batch->base_offset() > next || batch->last_offset() < next) {
        return "a batch is damaged or out of order in " + names[fetched.from].first;
      }
      RecordReader reader(*batch);
      for (RecordView record; reader.next(record);) {
        Found::Record plain;
        plain.offset = record.offset;
        plain.key = record.key ? std::string(as_text(*record.key)) : "";
        plain.write = static_cast<std::size_t>(record.timestamp.value());
        if (record.value) {
          plain.name = parse_value(as_text(*record.value));
          if (!plain.name || plain.name->write != plain.write) {
            return "a record has other contents than were written, in " + names[fetched.from].first;
          }
        }
        if (plain.write >= writes_.size()) {
          return "a record was never written, in " + names[fetched.from].first;
        }
        if (plain.offset >= next) {
          found.records[names[fetched.from]].push_back(plain);
        }
      }
      next = batch->last_offset() + 1;
    }
  }
  return {};
}

// Plain topics keep everything: each write that is there at all must be there in all its parts.
std::string WalWorkload::check_plain(const Found& found) {
  const auto is_plain = [](const Write& write) {
    return write.parts.front().topic == kPlain || write.parts.front().topic == kOther;
  };
  std::set<std::size_t> present;
  for (const std::string topic : {kPlain, kOther}) {
    for (std::int32_t p = 0; p < kPlainPartitions; ++p) {
      for (const Found::Record& record : found.of(topic, p)) {
        present.insert(record.write);
      }
    }
  }
  for (std::size_t id = 0; id < writes_.size(); ++id) {
    if (!is_plain(writes_[id])) {
      continue;
    }
    const bool is_there = present.contains(id);
    if (writes_[id].outcome == Outcome::kAcknowledged && !is_there) {
      return "acknowledged write " + std::to_string(id) + " is lost";
    }
    if (writes_[id].outcome == Outcome::kRefused && is_there) {
      return "refused write " + std::to_string(id) + " is there";
    }
    settle(id, is_there);
  }
  std::map<std::pair<std::string, std::int32_t>, std::vector<std::string>> expected;
  for (std::size_t id = 0; id < writes_.size(); ++id) {
    for (const Part& part : writes_[id].parts) {
      if (is_plain(writes_[id]) && present.contains(id)) {
        for (int i = 0; i < part.records; ++i) {
          expected[{part.topic, part.partition}].push_back(value_of(id, i));
        }
      }
    }
  }
  for (const auto& [where, values] : expected) {
    const std::vector<Found::Record>& records = found.of(where.first, where.second);
    for (std::size_t i = 0; i < std::max(values.size(), records.size()); ++i) {
      if (i >= values.size() || i >= records.size() ||
          value_of(records[i].name->write, records[i].name->index) != values[i] ||
          records[i].offset != Offset(static_cast<std::int64_t>(i))) {
        return "partition " + std::to_string(where.second) + " of " + where.first +
               " is torn, out of order or doubled at offset " + std::to_string(i);
      }
    }
  }
  return {};
}

// What is left must be the end of what was written, without holes.
std::string WalWorkload::check_expiring(const Found& found) const {
  const std::vector<Found::Record>& records = found.of(kExpiring, 0);
  std::set<std::size_t> present;
  for (const Found::Record& record : records) {
    present.insert(record.write);
  }
  std::vector<std::string> expected;
  for (std::size_t id = present.empty() ? 0 : *present.begin(); id < writes_.size(); ++id) {
    const Write& write = writes_[id];
    if (write.parts.front().topic != kExpiring) {
      continue;
    }
    if (present.contains(id) ? write.outcome == Outcome::kRefused
                             : write.outcome == Outcome::kAcknowledged && !present.empty()) {
      return "write " + std::to_string(id) + " of the expiring topic is lost, or was refused";
    }
    for (int i = 0; present.contains(id) && i < write.parts.front().records; ++i) {
      expected.push_back(value_of(id, i));
    }
  }
  if (records.size() > expected.size()) {
    return "the expiring topic has more records than were written";
  }
  expected.erase(expected.begin(), expected.end() - static_cast<std::ptrdiff_t>(records.size()));
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (value_of(records[i].name->write, records[i].name->index) != expected[i]) {
      return "the expiring topic has holes";
    }
  }
  return {};
}

std::string WalWorkload::check_compacted(const Found& found) const {
  std::map<std::string, std::size_t> newest;  // key -> write
  Offset before(-1);
  for (const Found::Record& record : found.of(kCompacted, 0)) {
    if (record.offset <= before) {
      return "the compacted topic is out of order";
    }
    before = record.offset;
    newest[record.key] = record.write;
  }
  std::map<std::string, std::size_t> promised;
  for (std::size_t id = 0; id < writes_.size(); ++id) {
    const Part& part = writes_[id].parts.front();
    if (part.topic == kCompacted && writes_[id].outcome == Outcome::kAcknowledged) {
      promised[part.key] = id;
    }
  }
  for (const auto& [key, id] : promised) {
    const auto there = newest.find(key);
    const bool is_tombstone = writes_[id].parts.front().tombstone;
    if (there == newest.end() ? !is_tombstone : there->second < id) {
      return "key " + key + " of the compacted topic has lost write " + std::to_string(id);
    }
  }
  for (const auto& [key, id] : newest) {
    if (writes_[id].outcome == Outcome::kRefused || writes_[id].parts.front().key != key) {
      return "key " + key + " of the compacted topic has a refused write";
    }
  }
  return {};
}

// The newest transaction on a plain topic is there if and only if its offset is committed.
std::string WalWorkload::check_offsets(wal::EmbeddedLog& log) {
  const auto committed = log.committed(kGroup);
  if (!committed) {
    return "committed offsets cannot be read: " + committed.error().message();
  }
  std::optional<std::size_t> at;
  if (!committed->empty()) {
    at = static_cast<std::size_t>(committed->front().next_offset.value());
  }
  if (at && (*at >= writes_.size() || !writes_[*at].is_transaction ||
             writes_[*at].outcome == Outcome::kRefused)) {
    return "the committed offset is of a write that is not there";
  }
  for (std::size_t id = at ? *at + 1 : 0; id < writes_.size(); ++id) {
    if (writes_[id].is_transaction && writes_[id].outcome == Outcome::kAcknowledged) {
      return "transaction " + std::to_string(id) + " is there without its offsets";
    }
  }
  return {};
}

std::string WalWorkload::check_churned(wal::EmbeddedLog& log) {
  const bool exists = log.topic(kChurned).has_value();
  if (exists != churned_exists_ && !churn_unknown_) {
    return exists ? "a deleted topic is back" : "a created topic is gone";
  }
  churned_exists_ = exists;
  churn_unknown_ = false;
  return {};
}

std::string WalWorkload::check(wal::EmbeddedLog& log) {
  Found found;
  std::string wrong = read_all(log, found);
  // In this order: the first settles what was unanswered, the others build on it.
  for (const auto& check : {&WalWorkload::check_plain}) {
    wrong = wrong.empty() ? (this->*check)(found) : wrong;
  }
  wrong = wrong.empty() ? check_expiring(found) : wrong;
  wrong = wrong.empty() ? check_compacted(found) : wrong;
  wrong = wrong.empty() ? check_offsets(log) : wrong;
  wrong = wrong.empty() ? check_churned(log) : wrong;
  if (!wrong.empty()) {
    return wrong;
  }
  // What is not known of the others: found or not, they must stay as they are from here on.
  std::set<std::size_t> present;
  for (const auto& [where, records] : found.records) {
    for (const Found::Record& record : records) {
      present.insert(record.write);
    }
  }
  for (std::size_t id = 0; id < writes_.size(); ++id) {
    if (writes_[id].outcome == Outcome::kUnknown) {
      settle(id, present.contains(id));
    }
  }
  return {};
}

std::size_t WalWorkload::acknowledged_count() const {
  return static_cast<std::size_t>(
      std::count_if(writes_.begin(), writes_.end(),
                    [](const Write& write) { return write.outcome == Outcome::kAcknowledged; }));
}

}  // namespace penstock::simulation
