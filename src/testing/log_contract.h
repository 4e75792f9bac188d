// LogContract is the test suite that every backend of the log port passes: see log/log.h.
//
// A backend's test file includes this header once and instantiates it with a factory:
//
//   INSTANTIATE_TEST_SUITE_P(SimLog, LogContract, ::testing::Values(&make_sim_log));
//
// The suite sees the log through the port only. What backends do differently is behind
// LogUnderTest: drive() lets a log without threads do what waits; reopen() ends it as a crash
// would and opens it again on what it had made durable; patience() stretches all waiting for logs
// that are on the other side of a network.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/completion.h"
#include "log/log.h"
#include "record/record_batch.h"

namespace penstock::testing {

class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;
  [[nodiscard]] virtual log::Log& log() = 0;
  virtual void drive() = 0;
  virtual void reopen() = 0;

  [[nodiscard]] virtual int patience() const { return 1; }
};

using LogFactory = std::unique_ptr<LogUnderTest> (*)();

class LogContract : public ::testing::TestWithParam<LogFactory> {
 protected:
  using Kind = log::Consumer::Rebalance::Kind;

  void SetUp() override { under_test_ = GetParam()(); }

  log::Log& log() { return under_test_->log(); }

  void reopen() { under_test_->reopen(); }

  log::TopicInfo make_topic(const std::string& name, std::int32_t partitions = 1,
                            log::CleanupPolicy cleanup = log::CleanupPolicy::kDelete) {
    log::TopicConfig config;
    config.name = name;
    config.partition_count = partitions;
    config.cleanup = cleanup;
    auto topic = log().ensure_topic(config);
    PENSTOCK_CHECK(topic.has_value());
    return *topic;
  }

  static TopicPartition at(const log::TopicInfo& topic, std::int32_t partition = 0) {
    return {topic.id, PartitionId(partition)};
  }

  // One record per value; keys "k0", "k1", ...; timestamps `first_ms`, `first_ms` + 1, ...
  static RecordBatch batch_of(const std::vector<std::string>& values,
                              std::int64_t first_ms = 1000) {
    RecordBatchBuilder builder;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string key = "k" + std::to_string(i);
      builder.append(Timestamp(first_ms + static_cast<std::int64_t>(i)), as_bytes(key),
                     as_bytes(values[i]));
    }
    return builder.finish();
  }

  [[nodiscard]] int turns(int count) const { return count * under_test_->patience(); }

  template <typename T>
  Result<T> answer_of(Completion<T>& completion) {
    for (int turn = 0; turn < turns(1000) && !completion.ready(); ++turn) {
      under_test_->drive();
      static_cast<void>(completion.wait_for(std::chrono::milliseconds(10)));
    }
    PENSTOCK_CHECK(completion.ready());
    return completion.take();
  }

  Result<log::AppendResult> append(std::vector<log::PartitionBatch> batches) {
    auto [completion, source] = make_completion<log::AppendResult>();
    PENSTOCK_TRY(log().append(std::move(batches),
                              [answer = std::move(source)](Result<log::AppendResult> r) mutable {
                                answer.set(std::move(r));
                              }));
    return answer_of(completion);
  }

  // The base offset that the batch was given.
  Result<Offset> append(TopicPartition to, const std::vector<std::string>& values,
                        std::int64_t first_ms = 1000) {
    std::vector<log::PartitionBatch> batches;
    batches.push_back({to, batch_of(values, first_ms)});
    PENSTOCK_TRY_ASSIGN(const log::AppendResult result, append(std::move(batches)));
    return base_offset(result.batches.front().batch);
  }

  static Offset base_offset(const RecordBatch& batch) {
    return RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly)->base_offset();
  }

  Status commit(log::TransactionalProducer& producer) {
    auto [completion, source] = make_completion<void>();
    producer.commit([answer = std::move(source)](Status s) mutable { answer.set(std::move(s)); });
    return answer_of(completion);
  }

  std::unique_ptr<log::Consumer> reader(std::vector<log::Consumer::Position> positions) {
    log::ConsumerOptions options;
    options.name = "reader";
    auto consumer = log().open_consumer(std::move(options));
    PENSTOCK_CHECK(consumer.has_value());
    PENSTOCK_CHECK((*consumer)->assign(std::move(positions)).has_value());
    return *std::move(consumer);
  }

  std::unique_ptr<log::Consumer> member(const std::string& group,
                                        const std::vector<log::TopicInfo>& topics,
                                        const std::string& instance = "") {
    log::ConsumerOptions options;
    options.name = "member";
    options.group_id = group;
    options.instance_id = instance;
    for (const log::TopicInfo& topic : topics) {
      options.topics.push_back(topic.id);
    }
    auto consumer = log().open_consumer(std::move(options));
    PENSTOCK_CHECK(consumer.has_value());
    return *std::move(consumer);
  }

  struct Read {
    TopicPartition from;
    Offset offset;
    std::string value;
  };

  // Records of the polled batches, from `skip_before` on where a batch begins earlier.
  static void collect(const log::Consumer::Polled& polled, std::vector<Read>& into) {
    for (const log::FetchedBatch& fetched : polled.batches) {
      auto batch = RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kChecksum);
      PENSTOCK_CHECK(batch.has_value());
      RecordReader reader(*batch);
      for (RecordView record; reader.next(record);) {
        into.push_back({fetched.from, record.offset, std::string(as_text(*record.value))});
      }
      PENSTOCK_CHECK(reader.status().has_value());
    }
  }

  // Polls until `count` records came or nothing more comes for a while.
  std::vector<Read> read(log::Consumer& consumer, std::size_t count) {
    std::vector<Read> records;
    for (int turn = 0; turn < turns(50) && records.size() < count; ++turn) {
      under_test_->drive();
      auto polled = consumer.poll(1 << 20);
      PENSTOCK_CHECK(polled.has_value());
      collect(*polled, records);
      if (records.size() < count) {
        consumer.wait(std::chrono::milliseconds(5));
      }
    }
    return records;
  }

  // Polls until something comes.
  log::Consumer::Polled poll_batches(log::Consumer& consumer) {
    for (int turn = 0; turn < turns(50); ++turn) {
      under_test_->drive();
      auto polled = consumer.poll(1 << 20);
      PENSTOCK_CHECK(polled.has_value());
      if (!polled->batches.empty()) {
        return *std::move(polled);
      }
      consumer.wait(std::chrono::milliseconds(5));
    }
    return {};
  }

  // Everything that is visible in the partition, once what was committed before is. Its end may lie
  // behind the last record: then a batch without records says so.
  std::vector<std::string> values_in(TopicPartition partition) {
    const auto offsets = log().offsets(partition);
    const auto end = log().written_end(partition);
    PENSTOCK_CHECK(offsets.has_value() && end.has_value());
    auto consumer = reader({{partition, offsets->start}});
    std::vector<Read> records;
    Offset position = offsets->start;
    for (int turn = 0; turn < turns(50) && position < *end; ++turn) {
      under_test_->drive();
      auto polled = consumer->poll(1 << 20);
      PENSTOCK_CHECK(polled.has_value());
      collect(*polled, records);
      for (const log::FetchedBatch& fetched : polled->batches) {
        const auto batch =
            *RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kHeaderOnly);
        EXPECT_LE(batch.base_offset(), position) << "offsets that no batch covers";
        position = batch.last_offset() + 1;
      }
      if (position < *end) {
        consumer->wait(std::chrono::milliseconds(5));
      }
    }
    EXPECT_GE(position, *end);
    std::vector<std::string> values;
    for (Read& record : records) {
      values.push_back(std::move(record.value));
    }
    return values;
  }

  // Polls until the member is told something of this kind.
  std::optional<log::Consumer::Rebalance> told(log::Consumer& consumer, Kind kind) {
    for (int turn = 0; turn < turns(200); ++turn) {
      under_test_->drive();
      auto polled = consumer.poll(1 << 20);
      PENSTOCK_CHECK(polled.has_value());
      if (polled->rebalance && polled->rebalance->kind == kind) {
        return polled->rebalance;
      }
      consumer.wait(std::chrono::milliseconds(1));
    }
    return std::nullopt;
  }

  using Owned = std::set<TopicPartition>;

  // Lets all members do what they are told, until each owns `count` partitions or for a while. At
  // no time may a partition have two owners.
  std::vector<Owned> share_out(const std::vector<log::Consumer*>& members, std::vector<Owned> owned,
                               std::size_t count) {
    const auto is_done = [&] {
      return std::ranges::all_of(owned, [&](const Owned& own) { return own.size() == count; });
    };
    for (int turn = 0; turn < turns(200) && !is_done(); ++turn) {
      for (std::size_t at = 0; at < members.size(); ++at) {
        under_test_->drive();
        const auto polled = members[at]->poll(1 << 20);
        PENSTOCK_CHECK(polled.has_value());
        if (polled->rebalance.has_value()) {
          take(*members[at], *polled->rebalance, owned, at);
        }
        members[at]->wait(std::chrono::milliseconds(1));
      }
    }
    EXPECT_TRUE(is_done());
    return owned;
  }

  static void take(log::Consumer& member, const log::Consumer::Rebalance& rebalance,
                   std::vector<Owned>& owned, std::size_t at) {
    for (const TopicPartition partition : rebalance.partitions) {
      if (rebalance.kind == Kind::kAssigned) {
        for (std::size_t other = 0; other < owned.size(); ++other) {
          EXPECT_TRUE(other == at || !owned[other].contains(partition)) << "two owners";
        }
        owned[at].insert(partition);
      } else {
        owned[at].erase(partition);
      }
    }
    if (rebalance.kind == Kind::kRevoked) {
      EXPECT_TRUE(member.finish_revocation());
    }
  }

  std::map<TopicPartition, log::OffsetCommit> committed(const std::string& group) {
    std::map<TopicPartition, log::OffsetCommit> by_partition;
    const auto offsets = log().committed(group);
    PENSTOCK_CHECK(offsets.has_value());
    for (const log::OffsetCommit& commit : *offsets) {
      by_partition[commit.partition] = commit;
    }
    return by_partition;
  }

  std::unique_ptr<log::TransactionalProducer> producer(const std::string& id) {
    auto opened = log().open_transactional_producer(id);
    PENSTOCK_CHECK(opened.has_value());
    return *std::move(opened);
  }

  std::unique_ptr<LogUnderTest> under_test_;
};

#define EXPECT_CODE(expression, expected)                          \
  do {                                                             \
    const auto penstock_result = (expression);                     \
    ASSERT_FALSE(penstock_result.has_value()) << #expression;      \
    EXPECT_EQ(penstock_result.error().code(), ErrorCode::expected) \
        << penstock_result.error().message();                      \
    EXPECT_FALSE(penstock_result.error().message().empty());       \
  } while (false)

using Values = std::vector<std::string>;

// --- Topics -----------------------------------------------------------------------------------

TEST_P(LogContract, CreatesATopicOnceAndFindsItAfterwards) {
  const log::TopicInfo made = make_topic("web", 3);
  const log::TopicInfo again = make_topic("web", 3);

  EXPECT_EQ(made.id, again.id);
  const auto found = log().topic("web");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, made.id);
  EXPECT_EQ(found->config.partition_count, 3);
}

TEST_P(LogContract, RefusesATopicThatExistsWithOtherPartitionsOrCleanup) {
  make_topic("web", 3);
  log::TopicConfig other;
  other.name = "web";
  other.partition_count = 4;
  EXPECT_CODE(log().ensure_topic(other), kInvalid);

  other.partition_count = 3;
  other.cleanup = log::CleanupPolicy::kCompact;
  EXPECT_CODE(log().ensure_topic(other), kInvalid);
}

TEST_P(LogContract, ChangesTheRetentionOfATopicThatExists) {
  make_topic("web", 3);
  log::TopicConfig wanted;
  wanted.name = "web";
  wanted.partition_count = 3;
  wanted.retention_time = std::chrono::hours(24);
  wanted.retention_bytes = 1 << 30;

  ASSERT_TRUE(log().ensure_topic(wanted));

  EXPECT_EQ(log().topic("web")->config, wanted);
}

TEST_P(LogContract, RefusesBadTopicNamesAndPartitionCounts) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a b"),
        std::string("caf\xc3\xa9"), std::string(250, 'x')}) {
    log::TopicConfig config;
    config.name = name;
    EXPECT_CODE(log().ensure_topic(config), kInvalid);
  }
  for (const std::int32_t count : {0, -1, 1'000'000}) {
    log::TopicConfig config;
    config.name = "web";
    config.partition_count = count;
    EXPECT_CODE(log().ensure_topic(config), kInvalid);
  }
}

TEST_P(LogContract, ListsTopicsByName) {
  make_topic("b");
  make_topic("a");
  make_topic("c");

  Values names;
  for (const log::TopicInfo& topic : log().topics()) {
    names.push_back(topic.config.name);
  }

  EXPECT_EQ(names, (Values{"a", "b", "c"}));
}

TEST_P(LogContract, AnswersNotFoundForWhatIsNotThere) {
  const log::TopicInfo topic = make_topic("web", 2);

  EXPECT_CODE(log().topic("nothing"), kNotFound);
  EXPECT_CODE(log().offsets(at(topic, 2)), kNotFound);
  EXPECT_CODE(log().offsets(at(topic, -1)), kNotFound);
  EXPECT_CODE(log().offset_for_time({TopicId(999), PartitionId(0)}, Timestamp(0)), kNotFound);
  EXPECT_CODE(log().delete_topic("nothing"), kNotFound);
}

TEST_P(LogContract, DeletesATopicWithItsRecords) {
  const log::TopicInfo old_topic = make_topic("web");
  ASSERT_TRUE(append(at(old_topic), {"a"}));

  ASSERT_TRUE(log().delete_topic("web"));

  EXPECT_CODE(log().topic("web"), kNotFound);
  EXPECT_CODE(log().offsets(at(old_topic)), kNotFound);
  const log::TopicInfo new_topic = make_topic("web", 2);
  EXPECT_EQ(log().offsets(at(new_topic))->end, Offset(0));
}

// --- Appends (C1, C2) -------------------------------------------------------------------------

TEST_P(LogContract, CountsOffsetsFromZeroWithoutGaps) {
  const log::TopicInfo topic = make_topic("web");

  EXPECT_EQ(*append(at(topic), {"a", "b"}), Offset(0));
  EXPECT_EQ(*append(at(topic), {"c"}), Offset(2));
  EXPECT_EQ(*append(at(topic), {"d", "e", "f"}), Offset(3));

  EXPECT_EQ(log().offsets(at(topic))->start, Offset(0));
  EXPECT_EQ(log().offsets(at(topic))->end, Offset(6));
  EXPECT_EQ(values_in(at(topic)), (Values{"a", "b", "c", "d", "e", "f"}));
}

TEST_P(LogContract, TakesBatchesOfManyPartitionsInOneAppendAndGivesThemBack) {
  const log::TopicInfo web = make_topic("web", 2);
  const log::TopicInfo app = make_topic("app", 1);
  ASSERT_TRUE(append(at(web, 1), {"earlier"}));
  std::vector<log::PartitionBatch> batches;
  batches.push_back({at(web, 0), batch_of({"a"})});
  batches.push_back({at(web, 1), batch_of({"b", "c"})});
  batches.push_back({at(app, 0), batch_of({"d"})});
  batches.push_back({at(web, 1), batch_of({"e"})});

  const auto result = append(std::move(batches));

  ASSERT_TRUE(result);
  ASSERT_EQ(result->batches.size(), 4U);
  EXPECT_EQ(result->batches[0].to, at(web, 0));
  EXPECT_EQ(base_offset(result->batches[0].batch), Offset(0));
  EXPECT_EQ(base_offset(result->batches[1].batch), Offset(1));
  EXPECT_EQ(base_offset(result->batches[2].batch), Offset(0));
  EXPECT_EQ(base_offset(result->batches[3].batch), Offset(3));
  EXPECT_EQ(values_in(at(web, 1)), (Values{"earlier", "b", "c", "e"}));
}

TEST_P(LogContract, KeepsTheOrderOfAppendsThatAreUnderWayTogether) {
  const log::TopicInfo topic = make_topic("web");
  std::vector<Completion<log::AppendResult>> answers;
  Values expected;
  for (int i = 0; i < 100; ++i) {
    auto [completion, source] = make_completion<log::AppendResult>();
    std::vector<log::PartitionBatch> batches;
    batches.push_back({at(topic), batch_of({std::to_string(i)})});
    ASSERT_TRUE(log().append(std::move(batches),
                             [answer = std::move(source)](Result<log::AppendResult> r) mutable {
                               answer.set(std::move(r));
                             }));
    answers.push_back(std::move(completion));
    expected.push_back(std::to_string(i));
  }

  for (int i = 0; i < 100; ++i) {
    const auto result = answer_of(answers[static_cast<std::size_t>(i)]);
    ASSERT_TRUE(result);
    EXPECT_EQ(base_offset(result->batches.front().batch), Offset(i));
  }

  EXPECT_EQ(values_in(at(topic)), expected);
}

TEST_P(LogContract, RefusesBatchesForPartitionsThatAreNotThere) {
  const log::TopicInfo topic = make_topic("web", 1);
  std::vector<log::PartitionBatch> batches;
  batches.push_back({at(topic), batch_of({"good"})});
  batches.push_back({at(topic, 1), batch_of({"bad"})});

  EXPECT_CODE(append(std::move(batches)), kNotFound);

  EXPECT_EQ(log().offsets(at(topic))->end, Offset(0)) << "nothing of a refused append is taken";
}

TEST_P(LogContract, KeepsKeysHeadersNullsAndTimestampsAsTheyWere) {
  const log::TopicInfo topic = make_topic("web");
  RecordBatchBuilder builder;
  const HeaderView headers[] = {{"a", as_bytes("1")}, {"b", std::nullopt}, {"a", as_bytes("")}};
  builder.append(Timestamp(5000), std::nullopt, as_bytes("v"), headers);
  builder.append(Timestamp(3000), as_bytes(""), std::nullopt);
  std::vector<log::PartitionBatch> batches;
  batches.push_back({at(topic), builder.finish()});
  ASSERT_TRUE(append(std::move(batches)));

  auto consumer = reader({{at(topic), Offset(0)}});
  const auto polled = poll_batches(*consumer);
  ASSERT_EQ(polled.batches.size(), 1U);
  const auto batch =
      *RecordBatchView::parse(polled.batches[0].bytes, RecordBatchView::Verify::kChecksum);
  RecordReader records(batch);
  RecordView record;

  ASSERT_TRUE(records.next(record));
  EXPECT_EQ(record.timestamp, Timestamp(5000));
  EXPECT_FALSE(record.key);
  EXPECT_EQ(record.header_count, 3U);
  EXPECT_EQ(as_text(*find_header(record, "a")), "1");
  ASSERT_TRUE(records.next(record));
  EXPECT_EQ(record.timestamp, Timestamp(3000));
  ASSERT_TRUE(record.key);
  EXPECT_TRUE(record.key->empty());
  EXPECT_FALSE(record.value);
}

TEST_P(LogContract, TakesLargeBatches) {
  const log::TopicInfo topic = make_topic("web");
  const std::string large(3'000'000, 'x');

  ASSERT_TRUE(append(at(topic), {large, "small"}));

  EXPECT_EQ(values_in(at(topic)), (Values{large, "small"}));
}

// --- Reading ----------------------------------------------------------------------------------

TEST_P(LogContract, ReadsFromThePositionOn) {
  const log::TopicInfo topic = make_topic("web");
  for (const char* value : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(append(at(topic), {value}));
  }

  auto consumer = reader({{at(topic), Offset(2)}});
  const auto records = read(*consumer, 2);

  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].offset, Offset(2));
  EXPECT_EQ(records[1].value, "d");
}

TEST_P(LogContract, DeliversTheWholeBatchThatHoldsThePosition) {
  const log::TopicInfo topic = make_topic("web");
  ASSERT_TRUE(append(at(topic), {"a", "b", "c"}));
  ASSERT_TRUE(append(at(topic), {"d"}));

  auto consumer = reader({{at(topic), Offset(1)}});
  const auto records = read(*consumer, 3);

  ASSERT_GE(records.size(), 3U);
  EXPECT_LE(records.front().offset, Offset(1));
  EXPECT_EQ(records.back().offset, Offset(3));
}

TEST_P(LogContract, DeliversEachRecordOnceToAConsumerThatKeepsPolling) {
  const log::TopicInfo topic = make_topic("web", 2);
  auto consumer = reader({{at(topic, 0), Offset(0)}, {at(topic, 1), Offset(0)}});
  std::map<TopicPartition, Values> seen;
  std::map<TopicPartition, Values> expected;
  for (int i = 0; i < 40; ++i) {
    const TopicPartition to = at(topic, i % 2);
    ASSERT_TRUE(append(to, {std::to_string(i)}));
    expected[to].push_back(std::to_string(i));
    for (const Read& record : read(*consumer, i % 3 == 0 ? 1 : 0)) {
      seen[record.from].push_back(record.value);
    }
  }
  std::size_t count = 0;
  for (const auto& [partition, values] : seen) {
    count += values.size();
  }
  for (const Read& record : read(*consumer, 40 - count)) {
    seen[record.from].push_back(record.value);
  }

  EXPECT_EQ(seen, expected);
}

TEST_P(LogContract, PausesResumesAndSeeks) {
  const log::TopicInfo topic = make_topic("web", 2);
  ASSERT_TRUE(append(at(topic, 0), {"a"}));
  ASSERT_TRUE(append(at(topic, 1), {"b"}));
  auto consumer = reader({{at(topic, 0), Offset(0)}, {at(topic, 1), Offset(0)}});

  consumer->pause(at(topic, 0));
  auto records = read(*consumer, 1);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, "b");

  consumer->resume(at(topic, 0));
  records = read(*consumer, 1);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, "a");

  ASSERT_TRUE(consumer->seek(at(topic, 1), Offset(0)));
  records = read(*consumer, 1);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, "b");
}

TEST_P(LogContract, RefusesToSeekInPartitionsOfOthers) {
  const log::TopicInfo topic = make_topic("web", 2);
  auto consumer = reader({{at(topic, 0), Offset(0)}});

  EXPECT_CODE(consumer->seek(at(topic, 1), Offset(0)), kNotFound);
}

TEST_P(LogContract, DeliversAtLeastOneBatchHoweverSmallTheLimit) {
  const log::TopicInfo topic = make_topic("web");
  ASSERT_TRUE(append(at(topic), {std::string(1000, 'x')}));
  ASSERT_TRUE(append(at(topic), {"second"}));
  auto consumer = reader({{at(topic), Offset(0)}});

  for (int turn = 0; turn < turns(50); ++turn) {
    under_test_->drive();
    const auto polled = consumer->poll(1);
    ASSERT_TRUE(polled);
    if (!polled->batches.empty()) {
      EXPECT_EQ(polled->batches.size(), 1U);
      return;
    }
    consumer->wait(std::chrono::milliseconds(5));
  }
  FAIL() << "nothing was delivered";
}

TEST_P(LogContract, KeepsFetchedBytesValidAsLongAsTheirMemoryIsHeld) {
  const log::TopicInfo topic = make_topic("web");
  ASSERT_TRUE(append(at(topic), {"first"}));
  auto consumer = reader({{at(topic), Offset(0)}});
  const auto polled = poll_batches(*consumer);
  ASSERT_EQ(polled.batches.size(), 1U);

  consumer.reset();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(append(at(topic), {std::string(100'000, 'x')}));
  }

  std::vector<Read> records;
  collect(polled, records);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, "first");
}

TEST_P(LogContract, AnswersForManyPartitionsAtOnceInTheirOrder) {
  const log::TopicInfo web = make_topic("web", 3);
  const log::TopicInfo app = make_topic("app");
  ASSERT_TRUE(append(at(web, 2), {"a", "b"}));
  ASSERT_TRUE(append(at(app), {"c"}));

  const auto bounds = log().bounds({at(web, 2), at(app), at(web, 0)});

  ASSERT_TRUE(bounds);
  ASSERT_EQ(bounds->size(), 3U);
  EXPECT_EQ((*bounds)[0].partition, at(web, 2));
  EXPECT_EQ((*bounds)[0].start, Offset(0));
  EXPECT_EQ((*bounds)[0].end, Offset(2));
  EXPECT_EQ((*bounds)[0].written_end, Offset(2));
  EXPECT_EQ((*bounds)[1].end, Offset(1));
  EXPECT_EQ((*bounds)[2].end, Offset(0));
  EXPECT_TRUE(log().bounds({})->empty());
  EXPECT_CODE(log().bounds({at(web, 0), at(web, 3)}), kNotFound);
}

TEST_P(LogContract, KnowsTheEndOfWhatItReadsWithoutAsking) {
  const log::TopicInfo topic = make_topic("web", 2);
  ASSERT_TRUE(append(at(topic, 0), {"a", "b"}));
  auto consumer = reader({{at(topic, 0), Offset(0)}});

  ASSERT_EQ(read(*consumer, 2).size(), 2U);

  EXPECT_EQ(consumer->known_end(at(topic, 0)), Offset(2));
}

// Nothing is fetched of a paused partition, but it grows.
TEST_P(LogContract, HearsOfTheEndOfAPausedPartition) {
  const log::TopicInfo topic = make_topic("web");
  ASSERT_TRUE(append(at(topic), {"a"}));
  auto consumer = reader({{at(topic), Offset(0)}});
  ASSERT_EQ(read(*consumer, 1).size(), 1U);
  consumer->pause(at(topic));
  ASSERT_TRUE(append(at(topic), {"b", "c"}));

  for (int turn = 0; turn < turns(50) && consumer->known_end(at(topic)) != Offset(3); ++turn) {
    ASSERT_TRUE(consumer->poll(1 << 20));
    consumer->wait(std::chrono::milliseconds(5));
  }

  EXPECT_EQ(consumer->known_end(at(topic)), Offset(3));
}

TEST_P(LogContract, DeletesRecordsBeforeAnOffset) {
  const auto topic = make_topic("t", 2);
  const std::vector<std::string> values = {"a", "b", "c"};
  for (const std::int32_t partition : {0, 1}) {
    ASSERT_TRUE(append(at(topic, partition), values));
    ASSERT_TRUE(append(at(topic, partition), {"d"}));
  }

  ASSERT_TRUE(log().delete_records({{at(topic, 0), Offset(3)}}));

  EXPECT_EQ(log().offsets(at(topic, 0))->start, Offset(3));
  EXPECT_EQ(log().offsets(at(topic, 0))->end, Offset(4));
  EXPECT_EQ(values_in(at(topic, 0)), Values{"d"});
  EXPECT_EQ(values_in(at(topic, 1)), (Values{"a", "b", "c", "d"}));
  ASSERT_TRUE(append(at(topic, 0), {"e"}));
  EXPECT_EQ(values_in(at(topic, 0)), (Values{"d", "e"}));
}

TEST_P(LogContract, DeletesEverythingAndGoesOnAtTheSameOffset) {
  const auto topic = make_topic("t");
  ASSERT_TRUE(append(at(topic), {"a", "b"}));

  ASSERT_TRUE(log().delete_records({{at(topic), Offset(2)}}));
  ASSERT_TRUE(log().delete_records({{at(topic), Offset(1)}})) << "that is done already";

  EXPECT_EQ(log().offsets(at(topic))->start, Offset(2));
  EXPECT_EQ(*append(at(topic), {"c"}), Offset(2));
  EXPECT_EQ(values_in(at(topic)), Values{"c"});
}

TEST_P(LogContract, RefusesToDeleteRecordsThatAreNotThereAndThoseOfCompactedTopics) {
  const auto topic = make_topic("t");
  const auto compacted = make_topic("tables", 1, log::CleanupPolicy::kCompact);
  ASSERT_TRUE(append(at(topic), {"a"}));
  ASSERT_TRUE(append(at(compacted), {"a"}));

  EXPECT_CODE(log().delete_records({{at(topic), Offset(2)}}), kInvalid);
  EXPECT_CODE(log().delete_records({{at(compacted), Offset(1)}}), kInvalid);
  EXPECT_CODE(log().delete_records({{at(topic, 7), Offset(0)}}), kNotFound);
  EXPECT_EQ(values_in(at(topic)), Values{"a"});
}

TEST_P(LogContract, StaysCutAcrossACrash) {
  const auto topic = make_topic("t");
  ASSERT_TRUE(append(at(topic), {"a", "b", "c"}));
  ASSERT_TRUE(log().delete_records({{at(topic), Offset(2)}}));

  reopen();

  const auto found = log().topic("t");
  ASSERT_TRUE(found);
  EXPECT_EQ(log().offsets(at(*found))->start, Offset(2));
  EXPECT_EQ(read(*reader({{at(*found), Offset(2)}}), 1).back().value, "c");
}

TEST_P(LogContract, FindsOffsetsByTime) {
  const log::TopicInfo topic = make_topic("web");
  ASSERT_TRUE(append(at(topic), {"a"}, 1000));
  ASSERT_TRUE(append(at(topic), {"b"}, 2000));
  ASSERT_TRUE(append(at(topic), {"c"}, 3000));

  EXPECT_EQ(*log().offset_for_time(at(topic), Timestamp(0)), Offset(0));
  EXPECT_EQ(*log().offset_for_time(at(topic), Timestamp(1500)), Offset(1));
  EXPECT_EQ(*log().offset_for_time(at(topic), Timestamp(3000)), Offset(2));
  EXPECT_EQ(*log().offset_for_time(at(topic), Timestamp(3001)), Offset(3));
}

// --- Transactions (C3, C4) --------------------------------------------------------------------

TEST_P(LogContract, ShowsATransactionWholeOrNotAtAll) {
  const log::TopicInfo out = make_topic("out", 2);
  auto writer = producer("tx");
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->append(at(out, 0), batch_of({"a"})));
  ASSERT_TRUE(writer->append(at(out, 1), batch_of({"b"})));
  ASSERT_TRUE(writer->append(at(out, 0), batch_of({"c"})));
  under_test_->drive();
  EXPECT_EQ(log().offsets(at(out, 0))->end, Offset(0)) << "visible before the commit";

  ASSERT_TRUE(commit(*writer));

  EXPECT_EQ(values_in(at(out, 0)), (Values{"a", "c"}));
  EXPECT_EQ(values_in(at(out, 1)), (Values{"b"}));
}

TEST_P(LogContract, ForgetsAnAbortedTransactionAndGoesOn) {
  const log::TopicInfo out = make_topic("out");
  auto writer = producer("tx");
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->append(at(out), batch_of({"aborted"})));
  ASSERT_TRUE(writer->abort());

  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->append(at(out), batch_of({"kept"})));
  ASSERT_TRUE(commit(*writer));

  EXPECT_EQ(values_in(at(out)), (Values{"kept"}));
}

TEST_P(LogContract, KnowsWhereItsOwnTransactionsEndWithoutAsking) {
  const log::TopicInfo out = make_topic("out", 2);
  auto writer = producer("tx");
  Offset known(0);
  for (const char* value : {"a", "b"}) {
    ASSERT_TRUE(writer->begin());
    ASSERT_TRUE(writer->append(at(out), batch_of({value, value})));
    ASSERT_TRUE(commit(*writer));
    const auto end = writer->known_end(at(out));
    ASSERT_TRUE(end);
    // Behind all that was appended; there may be an offset of the log's own before what comes next.
    EXPECT_GE(*end, known + 2);
    EXPECT_LE(*end, *log().written_end(at(out)));
    known = *end;
  }
  EXPECT_EQ(values_in(at(out)), (Values{"a", "a", "b", "b"}));
}

TEST_P(LogContract, CommitsAnEmptyTransaction) {
  auto writer = producer("tx");

  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(writer->begin());
    EXPECT_TRUE(commit(*writer));
  }
}

TEST_P(LogContract, CommitsOffsetsWithTheOutputs) {
  const log::TopicInfo in = make_topic("in");
  const log::TopicInfo out = make_topic("out");
  ASSERT_TRUE(append(at(in), {"a", "b"}));
  auto consumer = member("g", {in});
  ASSERT_TRUE(told(*consumer, Kind::kAssigned));
  auto writer = producer("tx");
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->append(at(out), batch_of({"A", "B"})));
  ASSERT_TRUE(writer->commit_offsets(consumer->group_metadata(), {{at(in), Offset(2), "note"}}));
  EXPECT_TRUE(committed("g").empty());

  ASSERT_TRUE(commit(*writer));

  ASSERT_EQ(committed("g").size(), 1U);
  EXPECT_EQ(committed("g").at(at(in)).next_offset, Offset(2));
  EXPECT_EQ(committed("g").at(at(in)).metadata, "note");
  EXPECT_EQ(values_in(at(out)), (Values{"A", "B"}));
}

TEST_P(LogContract, DoesNotCommitOffsetsOfAnAbortedTransaction) {
  const log::TopicInfo in = make_topic("in");
  auto consumer = member("g", {in});
  ASSERT_TRUE(told(*consumer, Kind::kAssigned));
  auto writer = producer("tx");
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->commit_offsets(consumer->group_metadata(), {{at(in), Offset(2), ""}}));

  ASSERT_TRUE(writer->abort());

  EXPECT_TRUE(committed("g").empty());
}

TEST_P(LogContract, FencesTheProducerThatHeldTheTransactionalIdBefore) {
  const log::TopicInfo out = make_topic("out");
  auto zombie = producer("tx");
  ASSERT_TRUE(zombie->begin());
  ASSERT_TRUE(zombie->append(at(out), batch_of({"zombie"})));

  auto successor = producer("tx");

  EXPECT_CODE(commit(*zombie), kFenced);
  ASSERT_TRUE(successor->begin());
  ASSERT_TRUE(successor->append(at(out), batch_of({"successor"})));
  ASSERT_TRUE(commit(*successor));
  EXPECT_EQ(values_in(at(out)), (Values{"successor"}));
}

TEST_P(LogContract, FencesOnlyTheSameTransactionalId) {
  const log::TopicInfo out = make_topic("out");
  auto first = producer("tx-1");
  auto second = producer("tx-2");
  for (auto* writer : {first.get(), second.get()}) {
    ASSERT_TRUE(writer->begin());
    ASSERT_TRUE(writer->append(at(out), batch_of({"x"})));
    ASSERT_TRUE(commit(*writer));
  }

  EXPECT_EQ(values_in(at(out)).size(), 2U);
}

TEST_P(LogContract, CommitsNothingOfATransactionWhoseOffsetsAreFenced) {
  const log::TopicInfo in = make_topic("in");
  const log::TopicInfo out = make_topic("out");
  auto left = member("g", {in});
  ASSERT_TRUE(told(*left, Kind::kAssigned));
  const log::GroupMetadata stale = left->group_metadata();
  left.reset();
  auto successor = member("g", {in});
  ASSERT_TRUE(told(*successor, Kind::kAssigned));
  auto writer = producer("tx");
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->append(at(out), batch_of({"zombie"})));
  ASSERT_TRUE(writer->commit_offsets(stale, {{at(in), Offset(1), ""}}));

  EXPECT_CODE(commit(*writer), kFenced);

  EXPECT_TRUE(values_in(at(out)).empty());
  EXPECT_TRUE(committed("g").empty());
}

// --- Groups (C5) ------------------------------------------------------------------------------

TEST_P(LogContract, StartsANewGroupAtTheBeginning) {
  const log::TopicInfo topic = make_topic("web");
  ASSERT_TRUE(append(at(topic), {"a"}));
  auto consumer = member("g", {topic});

  ASSERT_TRUE(told(*consumer, Kind::kAssigned));
  const auto records = read(*consumer, 1);

  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, "a");
}

TEST_P(LogContract, ContinuesAGroupAtItsCommittedOffsets) {
  const log::TopicInfo topic = make_topic("web");
  for (const char* value : {"a", "b", "c"}) {
    ASSERT_TRUE(append(at(topic), {value}));
  }
  auto first = member("g", {topic});
  ASSERT_TRUE(told(*first, Kind::kAssigned));
  ASSERT_TRUE(first->commit({{at(topic), Offset(2), "two"}}));
  first.reset();

  auto second = member("g", {topic});
  ASSERT_TRUE(told(*second, Kind::kAssigned));
  const auto records = read(*second, 1);

  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, "c");
  EXPECT_EQ(committed("g").at(at(topic)).metadata, "two");
}

TEST_P(LogContract, KeepsGroupsApart) {
  const log::TopicInfo topic = make_topic("web");
  ASSERT_TRUE(append(at(topic), {"a"}));
  auto one = member("one", {topic});
  auto two = member("two", {topic});
  ASSERT_TRUE(told(*one, Kind::kAssigned));
  ASSERT_TRUE(told(*two, Kind::kAssigned));

  EXPECT_EQ(read(*one, 1).size(), 1U);
  EXPECT_EQ(read(*two, 1).size(), 1U);
}

TEST_P(LogContract, SharesPartitionsAmongMembersWithoutOverlap) {
  const log::TopicInfo topic = make_topic("web", 4);
  auto first = member("g", {topic});
  const auto all = told(*first, Kind::kAssigned);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->partitions.size(), 4U);

  auto second = member("g", {topic});
  const std::vector<Owned> owned =
      share_out({first.get(), second.get()},
                {Owned(all->partitions.begin(), all->partitions.end()), Owned()}, 2);

  Owned either = owned[0];
  either.insert(owned[1].begin(), owned[1].end());
  EXPECT_EQ(either.size(), 4U);
}

// Where everything is taken before it is shared out anew, what a member has in the very next
// generation again was nobody else's, and it is told so.
TEST_P(LogContract, SaysWhatCameBackToAMember) {
  const log::TopicInfo topic = make_topic("web", 4);
  auto first = member("g", {topic});
  const auto all = told(*first, Kind::kAssigned);
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->came_back.empty());
  auto second = member("g", {topic});
  const auto revoked = told(*first, Kind::kRevoked);
  ASSERT_TRUE(revoked);
  ASSERT_TRUE(first->finish_revocation());
  if (!revoked->may_come_back) {
    EXPECT_EQ(revoked->partitions.size(), 2U);
    return;
  }
  EXPECT_EQ(revoked->partitions.size(), 4U);

  std::optional<log::Consumer::Rebalance> assigned;
  for (int turn = 0; turn < turns(200) && !assigned; ++turn) {
    under_test_->drive();
    for (log::Consumer* const one : {first.get(), second.get()}) {
      const auto polled = one->poll(1 << 20);
      ASSERT_TRUE(polled);
      if (one == first.get() && polled->rebalance) {
        assigned = polled->rebalance;
      }
      one->wait(std::chrono::milliseconds(1));
    }
  }

  ASSERT_TRUE(assigned);
  EXPECT_EQ(assigned->kind, Kind::kAssigned);
  EXPECT_EQ(assigned->partitions.size(), 2U);
  EXPECT_EQ(assigned->came_back, assigned->partitions);
}

TEST_P(LogContract, ReadsWhatCameBackThoughItWasPausedBefore) {
  const log::TopicInfo topic = make_topic("web", 4);
  for (std::int32_t number = 0; number < 4; ++number) {
    ASSERT_TRUE(append(at(topic, number), {"a"}));
  }
  auto first = member("g", {topic});
  ASSERT_TRUE(told(*first, Kind::kAssigned));
  ASSERT_EQ(read(*first, 4).size(), 4U);
  for (std::int32_t number = 0; number < 4; ++number) {
    first->pause(at(topic, number));
  }
  auto second = member("g", {topic});
  const auto revoked = told(*first, Kind::kRevoked);
  ASSERT_TRUE(revoked);
  ASSERT_TRUE(first->finish_revocation());
  if (!revoked->may_come_back) {
    return;  // the others are still paused
  }

  std::vector<Read> records;
  for (int turn = 0; turn < turns(200) && records.size() < 2; ++turn) {
    under_test_->drive();
    for (log::Consumer* const one : {first.get(), second.get()}) {
      const auto polled = one->poll(1 << 20);
      ASSERT_TRUE(polled);
      if (one == first.get()) {
        collect(*polled, records);
      }
      one->wait(std::chrono::milliseconds(1));
    }
  }

  EXPECT_EQ(records.size(), 2U);
}

TEST_P(LogContract, AcceptsCommitsUntilTheRevocationIsFinishedAndNoneAfterwards) {
  const log::TopicInfo topic = make_topic("web", 2);
  auto first = member("g", {topic});
  ASSERT_TRUE(told(*first, Kind::kAssigned));
  auto second = member("g", {topic});
  const auto revoked = told(*first, Kind::kRevoked);
  ASSERT_TRUE(revoked);
  ASSERT_FALSE(revoked->partitions.empty());
  const TopicPartition moving = revoked->partitions.front();

  EXPECT_TRUE(first->commit({{moving, Offset(0), "last"}}));
  ASSERT_TRUE(first->finish_revocation());

  EXPECT_CODE(first->commit({{moving, Offset(0), "too late"}}), kFenced);
  EXPECT_EQ(committed("g").at(moving).metadata, "last");
}

TEST_P(LogContract, DeliversNothingOfARevokedPartition) {
  const log::TopicInfo topic = make_topic("web", 2);
  auto first = member("g", {topic});
  ASSERT_TRUE(told(*first, Kind::kAssigned));
  auto second = member("g", {topic});
  const auto revoked = told(*first, Kind::kRevoked);
  ASSERT_TRUE(revoked);
  const TopicPartition moving = revoked->partitions.front();

  ASSERT_TRUE(append(moving, {"for the next owner"}));
  EXPECT_TRUE(read(*first, 1).empty());

  ASSERT_TRUE(first->finish_revocation());
  Owned left = {at(topic, 0), at(topic, 1)};
  for (const TopicPartition partition : revoked->partitions) {
    left.erase(partition);
  }
  const std::vector<Owned> owned = share_out({first.get(), second.get()}, {left, Owned()}, 1);
  log::Consumer& owner = owned[0].contains(moving) ? *first : *second;
  EXPECT_EQ(read(owner, 1).size(), 1U);
}

TEST_P(LogContract, GivesTheSameInstanceItsPartitionsBackAndFencesItsPredecessor) {
  const log::TopicInfo topic = make_topic("web", 2);
  auto before = member("g", {topic}, "host-1");
  ASSERT_TRUE(told(*before, Kind::kAssigned));
  const log::GroupMetadata stale = before->group_metadata();

  auto after = member("g", {topic}, "host-1");

  const auto assigned = told(*after, Kind::kAssigned);
  ASSERT_TRUE(assigned);
  EXPECT_EQ(assigned->partitions.size(), 2U);
  EXPECT_TRUE(told(*before, Kind::kLost));
  auto writer = producer("tx");
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->commit_offsets(stale, {{at(topic, 0), Offset(0), ""}}));
  EXPECT_CODE(commit(*writer), kFenced);
}

// --- After a crash ----------------------------------------------------------------------------

TEST_P(LogContract, KeepsWhatItAcknowledgedAcrossACrash) {
  log::TopicConfig config;
  config.name = "web";
  config.partition_count = 2;
  config.retention_time = std::chrono::hours(1);
  const auto made = log().ensure_topic(config);
  ASSERT_TRUE(made);
  ASSERT_TRUE(append(at(*made, 0), {"a", "b"}));
  ASSERT_TRUE(append(at(*made, 1), {"c"}));

  reopen();

  const auto topic = log().topic("web");
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->config, config);
  EXPECT_EQ(values_in(at(*topic, 0)), (Values{"a", "b"}));
  EXPECT_EQ(values_in(at(*topic, 1)), (Values{"c"}));
  EXPECT_EQ(*append(at(*topic, 0), {"d"}), Offset(2));
}

TEST_P(LogContract, KeepsCommittedTransactionsAndOffsetsAcrossACrash) {
  log::TopicInfo in = make_topic("in");
  log::TopicInfo out = make_topic("out");
  {
    auto consumer = member("g", {in});
    ASSERT_TRUE(told(*consumer, Kind::kAssigned));
    auto writer = producer("tx");
    ASSERT_TRUE(writer->begin());
    ASSERT_TRUE(writer->append(at(out), batch_of({"kept"})));
    ASSERT_TRUE(writer->commit_offsets(consumer->group_metadata(), {{at(in), Offset(7), "m"}}));
    ASSERT_TRUE(commit(*writer));
    ASSERT_TRUE(writer->begin());
    ASSERT_TRUE(writer->append(at(out), batch_of({"open when it crashed"})));
    under_test_->drive();
  }

  reopen();

  in = *log().topic("in");
  out = *log().topic("out");
  const auto successor = producer("tx");  // ends what its predecessor left open
  EXPECT_EQ(values_in(at(out)), (Values{"kept"}));
  ASSERT_EQ(committed("g").size(), 1U);
  EXPECT_EQ(committed("g").at(at(in)).next_offset, Offset(7));
  EXPECT_EQ(committed("g").at(at(in)).metadata, "m");
}

TEST_P(LogContract, ForgetsDeletedTopicsAcrossACrash) {
  log::TopicInfo topic = make_topic("web");
  ASSERT_TRUE(append(at(topic), {"old"}));
  ASSERT_TRUE(log().delete_topic("web"));
  topic = make_topic("web", 2);
  ASSERT_TRUE(append(at(topic), {"new"}));

  reopen();

  topic = *log().topic("web");
  EXPECT_EQ(topic.config.partition_count, 2);
  EXPECT_EQ(values_in(at(topic)), (Values{"new"}));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LogContract);

}  // namespace penstock::testing
