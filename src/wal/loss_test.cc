// Losses that an operator has accepted: a range that is gone, remembered durably and precisely.
// Damage that comes later is refused as before.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"
#include "record/record_batch.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "wal/embedded_log.h"
#include "wal/format.h"
#include "wal/inspect.h"

namespace penstock::wal {
namespace {

constexpr const char* kDirectory = "data/log";

std::string value_of(TopicPartition to, std::int64_t number) {
  return "value " + to_string(to.topic) + "-" + to_string(to.partition) + "-" +
         std::to_string(number) + ";" + std::string(kKiB, 'v');
}

class AcceptedLoss : public ::testing::Test {
 protected:
  AcceptedLoss() {
    PENSTOCK_CHECK(open().has_value());
    log::TopicConfig config{.name = "events", .partition_count = 2};
    const TopicId topic = log_->ensure_topic(config)->id;
    first_ = {topic, PartitionId(0)};
    second_ = {topic, PartitionId(1)};
    config = {.name = "table", .cleanup = log::CleanupPolicy::kCompact};
    table_ = {log_->ensure_topic(config)->id, PartitionId(0)};
  }

  Status open(OnDamage on_damage = OnDamage::kRefuse) {
    Options options;
    options.directory = kDirectory;
    options.segment_bytes = 256 * kKiB;
    options.group_bytes_max = 32 * kKiB;
    options.append_bytes_max = 32 * kKiB;
    options.tail_cache_bytes = 64 * kKiB;
    options.reserve_bytes = 16 * kKiB;
    options.rewrite_below_percent = 0;  // what is written stays where it is
    options.on_damage = on_damage;
    metrics_ = std::make_unique<telemetry::Registry>();
    auto opened = EmbeddedLog::open(options, disk_, clock_, random_, *metrics_);
    if (!opened) {
      return std::move(opened).error();
    }
    log_ = *std::move(opened);
    return {};
  }

  void expect_opens(OnDamage on_damage = OnDamage::kRefuse) {
    const Status opened = open(on_damage);
    ASSERT_TRUE(opened.has_value()) << opened.error().to_string();
  }

  void close() {
    ASSERT_TRUE(log_->close().has_value());
    log_.reset();
  }

  void crash() {
    log_.reset();
    disk_.crash();
  }

  // One record of about a kilobyte: its offset.
  Offset append(TopicPartition to) {
    const Offset offset = log_->offsets(to)->end;
    const std::string value = value_of(to, offset.value());
    RecordBatchBuilder builder;
    builder.append(Timestamp(0), as_bytes("key " + std::to_string(offset.value() % 3)),
                   as_bytes(value));
    std::vector<log::PartitionBatch> batches;
    batches.push_back({to, builder.finish()});
    std::optional<Status> answer;
    PENSTOCK_CHECK(log_->append(std::move(batches),
                                [&](Result<log::AppendResult> result) {
                                  answer.emplace(result ? Status() : Status(result.error()));
                                })
                       .has_value());
    PENSTOCK_CHECK(log_->run_once(clock_.now()).has_value());
    PENSTOCK_CHECK(answer->has_value());
    return offset;
  }

  void append_to_all(int count) {
    for (int i = 0; i < count; ++i) {
      append(first_);
      append(second_);
      append(table_);
    }
  }

  void maintain() {
    for (int i = 0; i < 3; ++i) {
      clock_.advance(std::chrono::seconds(20));
      ASSERT_TRUE(log_->run_once(clock_.now()).has_value());
      ASSERT_TRUE(log_->maintain_once(clock_.now()).has_value());
    }
  }

  std::vector<std::string> segments() {
    std::vector<std::string> paths;
    for (const std::string& name : *disk_.list(kDirectory)) {
      if (parse_segment_file_name(name)) {
        paths.push_back(os::join_path(kDirectory, name));
      }
    }
    return paths;
  }

  // Flips a bit of that record's value, in whichever segment it lies.
  void damage(TopicPartition at, std::int64_t number) {
    const std::string value = value_of(at, number);
    for (const std::string& path : segments()) {
      const auto file = *disk_.open(path, {});
      Bytes bytes(*file->size());
      ASSERT_EQ(*file->read_at(0, bytes), bytes.size());
      const std::size_t found = as_text(bytes).find(value);
      if (found != std::string::npos) {
        ASSERT_TRUE(disk_.flip_bit(path, (found + 7) * 8).has_value());
        return;
      }
    }
    FAIL() << "no segment holds the record";
  }

  struct Read {
    std::vector<Offset> records;
    std::vector<Offset> lost;
    Status status;
  };

  Read read(TopicPartition from) {
    Read read;
    const auto consumer = *log_->open_consumer({.name = "test"});
    PENSTOCK_CHECK(consumer->assign({{from, Offset(0)}}).has_value());
    for (;;) {
      const auto polled = consumer->poll(4 * kKiB);
      if (!polled || polled->batches.empty()) {
        read.status = polled ? Status() : Status(polled.error());
        return read;
      }
      for (const log::FetchedBatch& fetched : polled->batches) {
        note(from, fetched, read);
      }
    }
  }

  static void note(TopicPartition from, const log::FetchedBatch& fetched, Read& read) {
    const auto view = *RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kChecksum);
    if (fetched.is_lost) {
      EXPECT_EQ(view.record_count(), 0U);
      for (Offset at = view.base_offset(); at <= view.last_offset(); at = at + 1) {
        read.lost.push_back(at);
      }
      return;
    }
    RecordReader records(view);
    for (RecordView record; records.next(record);) {
      EXPECT_EQ(as_text(*record.value), value_of(from, record.offset.value()));
      read.records.push_back(record.offset);
    }
  }

  // What is read is each offset before the end once, and of these exactly `lost` are lost.
  void expect_lost(TopicPartition from, const std::vector<Offset>& lost) {
    const Read found = read(from);
    ASSERT_TRUE(found.status.has_value()) << found.status.error().to_string();
    EXPECT_EQ(found.lost, lost);
    EXPECT_EQ(static_cast<std::int64_t>(found.records.size() + found.lost.size()),
              log_->offsets(from)->end.value());
    EXPECT_TRUE(std::ranges::is_sorted(found.records));
  }

  testing::SimClock clock_;
  testing::SimFileSystem disk_;
  os::SeededRandom random_{1};
  std::unique_ptr<telemetry::Registry> metrics_;
  std::unique_ptr<EmbeddedLog> log_;
  TopicPartition first_;
  TopicPartition second_;
  TopicPartition table_;
};

TEST_F(AcceptedLoss, IsARangeThatIsGoneAlsoAfterACrash) {
  append_to_all(60);
  maintain();
  close();
  damage(first_, 7);
  ASSERT_NO_FATAL_FAILURE(expect_opens());
  ASSERT_EQ(read(first_).status.error().code(), ErrorCode::kCorrupt);
  close();

  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));
  EXPECT_EQ(log_->recovery().lost_now,
            std::vector<std::string>{"offsets 7 to 7 of partition 0 of topic events"});
  EXPECT_EQ(metrics_->value("penstock_log_lost_records", {}), 1);
  crash();  // it was durable before open() returned

  for (int restart = 0; restart < 2; ++restart) {
    ASSERT_NO_FATAL_FAILURE(expect_opens());
    expect_lost(first_, {Offset(7)});
    expect_lost(second_, {});
    append_to_all(20);
    maintain();
    EXPECT_EQ(log_->recovery().lost_records, 1U);
    close();
  }
}

TEST_F(AcceptedLoss, DoesNotExcuseDamageThatComesLater) {
  append_to_all(60);
  maintain();
  close();
  damage(first_, 7);
  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));
  close();
  const auto accepted = inspect(disk_, kDirectory);
  ASSERT_TRUE(accepted.has_value());
  EXPECT_TRUE(accepted->damage.empty()) << accepted->damage.front();
  EXPECT_EQ(accepted->lost_before.size(), 1U);

  damage(first_, 8);  // in the same segment
  const auto fresh = inspect(disk_, kDirectory);
  ASSERT_TRUE(fresh.has_value());
  ASSERT_EQ(fresh->damage.size(), 1U);
  EXPECT_NE(fresh->damage[0].find("offsets 8 to 8"), std::string::npos) << fresh->damage[0];
  EXPECT_EQ(fresh->lost_before.size(), 1U);
  EXPECT_EQ(fresh->lost_if_accepted,
            std::vector<std::string>{"offsets 8 to 8 of partition 0 of topic events"});

  ASSERT_NO_FATAL_FAILURE(expect_opens());
  const Read refused = read(first_);
  ASSERT_FALSE(refused.status.has_value());
  EXPECT_EQ(refused.status.error().code(), ErrorCode::kCorrupt);
  close();
  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));
  expect_lost(first_, {Offset(7), Offset(8)});
}

TEST_F(AcceptedLoss, IsFoundInASegmentThatHasNoIndex) {
  append_to_all(60);
  close();
  damage(second_, 3);
  for (const std::string& name : *disk_.list(kDirectory)) {
    if (parse_index_file_name(name)) {
      ASSERT_TRUE(disk_.remove(os::join_path(kDirectory, name)).has_value());
    }
  }
  ASSERT_EQ(open().error().code(), ErrorCode::kCorrupt);

  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));
  expect_lost(second_, {Offset(3)});
  crash();
  ASSERT_NO_FATAL_FAILURE(expect_opens());
  expect_lost(second_, {Offset(3)});
}

TEST_F(AcceptedLoss, AtTheEndOfAPartitionMovesReadersToTheEnd) {
  const Offset only = append(second_);
  for (int i = 0; i < 200; ++i) {
    append(first_);
  }
  maintain();
  close();
  damage(second_, only.value());

  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));
  expect_lost(second_, {only});
  append(second_);
  expect_lost(second_, {only});
}

TEST_F(AcceptedLoss, OfAWholeSegmentKeepsTheOthers) {
  append_to_all(100);
  maintain();
  close();
  const std::vector<std::string> before = segments();
  ASSERT_GE(before.size(), 4U);
  ASSERT_TRUE(disk_.remove(before[1]).has_value());
  ASSERT_EQ(open().error().code(), ErrorCode::kCorrupt);

  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));
  const Read found = read(first_);
  ASSERT_TRUE(found.status.has_value());
  EXPECT_FALSE(found.lost.empty());
  EXPECT_EQ(found.lost.size() + found.records.size(), 100U);
  expect_lost(first_, found.lost);
  close();
  ASSERT_NO_FATAL_FAILURE(expect_opens());
  expect_lost(first_, found.lost);
}

// Damage to the last group: what was in it is not known. Whoever has read it must not meet another
// record at the same offset.
TEST_F(AcceptedLoss, NeverLetsAnOffsetBeGivenOutTwice) {
  append_to_all(60);
  close();
  damage(table_, 59);  // the very last one
  ASSERT_EQ(open().error().code(), ErrorCode::kCorrupt);

  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));
  EXPECT_GE(log_->offsets(table_)->end, Offset(60));
  EXPECT_EQ(read(table_).records.size(), 59U);
  const Offset next = append(table_);
  EXPECT_GE(next, Offset(60));
  close();
  ASSERT_NO_FATAL_FAILURE(expect_opens());
  EXPECT_EQ(read(table_).records.back(), next);
  EXPECT_EQ(read(first_).records.size(), 60U);
}

TEST_F(AcceptedLoss, OfTheNewestSegmentSetsItAside) {
  append_to_all(100);
  maintain();
  close();
  const std::string newest = segments().back();
  ASSERT_TRUE(disk_.flip_bit(newest, (kBlockSize + kGroupHeaderSize + 8) * 8).has_value());
  ASSERT_EQ(open().error().code(), ErrorCode::kCorrupt);

  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));
  EXPECT_EQ(log_->recovery().set_aside.size(), 1U);
  const Offset next = append(first_);
  EXPECT_GE(next, Offset(100));
  close();
  ASSERT_NO_FATAL_FAILURE(expect_opens());
  EXPECT_EQ(read(first_).records.back(), next);
}

TEST_F(AcceptedLoss, OfAMissingNewestSegmentGivesNoOffsetOutTwice) {
  append_to_all(100);
  close();
  ASSERT_TRUE(disk_.remove(segments().back()).has_value());
  ASSERT_EQ(open().error().code(), ErrorCode::kCorrupt);

  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));

  EXPECT_GE(append(first_), Offset(100));
  EXPECT_GE(append(second_), Offset(100));
}

TEST_F(AcceptedLoss, DoesNotStopCompaction) {
  append_to_all(60);
  close();
  damage(table_, 7);
  ASSERT_NO_FATAL_FAILURE(expect_opens(OnDamage::kAcceptLoss));

  append_to_all(60);
  maintain();

  EXPECT_GT(metrics_->value("penstock_log_compacted_records_total", {}), 50);
  const Read found = read(table_);
  ASSERT_TRUE(found.status.has_value()) << found.status.error().to_string();
  EXPECT_EQ(found.records.back(), Offset(119));
  close();
  ASSERT_NO_FATAL_FAILURE(expect_opens());
  EXPECT_EQ(read(table_).records, found.records);
}

// Negative control: without the notes that acceptance leaves, the same log does not start.
TEST_F(AcceptedLoss, IsNotAssumedWhereNobodyAcceptedIt) {
  append_to_all(60);
  close();
  damage(second_, 3);
  const auto inspected = inspect(disk_, kDirectory);
  ASSERT_TRUE(inspected.has_value());
  EXPECT_FALSE(inspected->damage.empty());
  EXPECT_TRUE(inspected->lost_before.empty());
  EXPECT_EQ(inspected->lost_if_accepted.size(), 1U);
}

}  // namespace
}  // namespace penstock::wal
