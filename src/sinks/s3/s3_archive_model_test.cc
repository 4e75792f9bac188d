// Random histories of an archive in a bucket: requests and answers get lost, servers fail,
// processes are killed at any moment, and up to three of them write at once. At the end the files
// of each partition join, and hold every record once. With a protection taken away the same
// histories must show losses, doubles, or two files of the same offsets.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/internal_headers.h"
#include "sinks/archive/archive_sink.h"
#include "sinks/archive/parquet_rows.h"
#include "sinks/s3/fake_s3_for_test.h"
#include "sinks/s3/s3_archive_store.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "testing/sim_log.h"

namespace penstock::sinks {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;

constexpr std::int32_t kPartitions = 2;

enum class Without { kNothing, kCondition, kClaims };

// One writing process: a spool and a sink.
struct Writer {
  testing::SimFileSystem disk;
  std::unique_ptr<ArchiveSink> sink;
  bool is_killed = false;
};

class History {
 public:
  History(std::uint64_t seed, Without without) : random_(seed), without_(without) {
    PENSTOCK_CHECK(log_.ensure_topic({.name = "web", .partition_count = kPartitions}).has_value());
    bucket_.fault = [this](const net::ClientRequest&) { return choose(); };
    bucket_.page_size = 1 + random_.below(5);
  }

  std::vector<std::string> run() {
    for (int turn = 0; turn < 250; ++turn) {
      act();
      for (const auto& writer : writers_) {
        for (std::size_t n = random_.below(4); n > 0 && !writer->is_killed; --n) {
          step(*writer);
        }
      }
      std::erase_if(writers_, [](const auto& writer) { return writer->is_killed; });
      clock_.advance(milliseconds(random_.below(300)));
    }
    return finish();
  }

  [[nodiscard]] int faults() const { return faults_; }

 private:
  S3Fault choose() {
    if (is_calm_) {
      return S3Fault::kNone;
    }
    // A process that is killed sends nothing more: all that follows is lost.
    if (current_ != nullptr && (current_->is_killed || random_.below(60) == 0)) {
      current_->is_killed = true;
      ++faults_;
      return random_.below(2) == 0 ? S3Fault::kLost : S3Fault::kAnswerLost;
    }
    if (random_.below(4) != 0) {
      return S3Fault::kNone;
    }
    ++faults_;
    constexpr std::array kFaults = {S3Fault::kLost,      S3Fault::kAnswerLost,
                                    S3Fault::kSlowDown,  S3Fault::kFailed,
                                    S3Fault::kDisguised, S3Fault::kDoneDisguised};
    return kFaults[random_.below(kFaults.size())];
  }

  void act() {
    if (random_.below(3) == 0) {
      append(static_cast<std::int32_t>(random_.below(kPartitions)), 1 + random_.below(20));
    }
    if (writers_.empty() || (writers_.size() < 3 && random_.below(25) == 0)) {
      start();
    }
    if (!writers_.empty() && random_.below(25) == 0) {
      writers_.erase(writers_.begin() +
                     static_cast<std::ptrdiff_t>(random_.below(writers_.size())));
    }
  }

  void append(std::int32_t partition, std::size_t count) {
    RecordBatchBuilder builder;
    for (std::size_t i = 0; i < count; ++i) {
      const auto ingest = encode_ingest_time(1'714'564'800'000'000 + 900'000'000 * appended_);
      const HeaderView header{kIngestTimeHeader, ByteView(ingest)};
      const std::string value = std::to_string(appended_) + std::string(random_.below(40), 'x');
      builder.append(Timestamp(appended_), std::nullopt, as_bytes(value), {&header, 1});
      ++appended_;
      ++counts_[partition];
    }
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{log_.topic("web")->id, PartitionId(partition)}, builder.finish()});
    PENSTOCK_CHECK(log_.append(std::move(batches), [](auto) {}).has_value());
    log_.run_once();
  }

  void start() {
    auto writer = std::make_unique<Writer>();
    auto store = make_fake_s3_store({writer->disk, clock_, random_, registry_, bucket_}, 3,
                                    {.prefix = "p/",
                                     .spool_directory = "/spool",
                                     .part_size = 2'000 + random_.below(8'000),
                                     .respects_claims = without_ != Without::kClaims},
                                    without_ != Without::kCondition);
    current_ = writer.get();
    auto opened = ArchiveSink::open({log_, writer->disk, registry_, logger_}, std::move(store),
                                    {.takes = [](const auto&) { return true; },
                                     .file_rows_max = 5 + random_.below(30),
                                     .roll_interval = milliseconds(100 + random_.below(1'000)),
                                     .retry_interval = milliseconds(50),
                                     .breaker = {.wait_duration_in_open_state = milliseconds(100)}},
                                    clock_.now());
    current_ = nullptr;
    if (!opened.has_value()) {
      note_contradiction(opened.error());
      return;
    }
    writer->sink = *std::move(opened);
    writers_.push_back(std::move(writer));
  }

  void step(Writer& writer) {
    current_ = &writer;
    const auto taken = writer.sink->run_once(clock_.now());
    current_ = nullptr;
    if (!taken.has_value()) {
      note_contradiction(taken.error());
    }
  }

  // A store that says that its own files contradict each other has caught itself.
  void note_contradiction(const Error& error) {
    if (error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kFatal) {
      problems_.push_back(error.message());
    }
  }

  // All is well again: whoever is there writes the rest, one after the other.
  std::vector<std::string> finish() {
    is_calm_ = true;
    start();
    for (const auto& writer : writers_) {
      finish(*writer);
    }
    audit();
    return problems_;
  }

  void finish(Writer& writer) {
    static_cast<void>(writer.sink->request_finish(clock_.now()));
    for (int i = 0; i < 2'000 && !writer.sink->finished(); ++i) {
      step(writer);
      clock_.advance(milliseconds(60));
    }
    if (!writer.sink->finished()) {
      problems_.push_back("a writer does not finish");
    }
  }

  void audit() {
    std::map<std::int32_t, std::map<std::int64_t, int>> found;
    for (const auto& [key, object] : bucket_.objects) {
      if (!key.ends_with(".parquet")) {
        continue;
      }
      const auto contents =
          read_parquet(Bytes(as_bytes(object.body).begin(), as_bytes(object.body).end()));
      if (!contents.has_value()) {
        problems_.push_back(key + " is no Parquet file");
        continue;
      }
      for (const ParquetRow& row : contents->rows) {
        ++found[row.partition][row.offset];
      }
    }
    for (const auto& [partition, count] : counts_) {
      for (std::int64_t offset = 0; offset < count; ++offset) {
        if (found[partition][offset] != 1) {
          problems_.push_back("offset " + std::to_string(offset) + " is there " +
                              std::to_string(found[partition][offset]) + " times");
        }
      }
    }
  }

  os::SeededRandom random_;
  const Without without_;
  testing::SimClock clock_;
  testing::SimLog log_;
  telemetry::Registry registry_;
  telemetry::Logger logger_{clock_, {.write = [](std::string_view) {}}};
  FakeBucket bucket_;
  std::vector<std::unique_ptr<Writer>> writers_;
  Writer* current_ = nullptr;
  bool is_calm_ = false;
  int faults_ = 0;
  std::int64_t appended_ = 0;
  std::map<std::int32_t, std::int64_t> counts_;
  std::vector<std::string> problems_;
};

std::uint64_t first_seed() {
  const char* const text = std::getenv("PENSTOCK_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

constexpr std::uint64_t kHistories = 15;

TEST(S3ArchiveModel, EveryRecordIsInOneFileWhateverHappens) {
  int faults = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + kHistories; ++seed) {
    History history(seed, Without::kNothing);
    ASSERT_THAT(history.run(), IsEmpty()) << "PENSTOCK_SEED=" << seed;
    faults += history.faults();
  }
  EXPECT_GT(faults, 200) << "the histories have become too peaceful";
}

// Any of them: which history shows it is a matter of luck.
bool shows(Without without) {
  for (std::uint64_t seed = 1; seed <= 4 * kHistories; ++seed) {
    if (!History(seed, without).run().empty()) {
      return true;
    }
  }
  return false;
}

TEST(S3ArchiveModel, WithoutTheConditionItFindsDoubles) {
  EXPECT_TRUE(shows(Without::kCondition));
}

TEST(S3ArchiveModel, WithoutClaimsItFindsDoubles) {
  EXPECT_TRUE(shows(Without::kClaims));
}

}  // namespace
}  // namespace penstock::sinks
