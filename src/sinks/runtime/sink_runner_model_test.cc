// Random histories of a sink: everything that can fail does, at random moments. At the end every
// event is exactly once in the database or among the dead letters. With one of the protections
// taken away the same histories must show losses or doubles.
#include <cstdlib>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sinks/runtime/sink_fixture_test.h"

namespace penstock::sinks {
namespace {

using ::testing::IsEmpty;
using Fault = FakeDatabase::Fault;

class History : private SinkWorld {
 public:
  enum class Without { kNothing, kAtomicity, kFencing, kNotes };

  using Atomic = FakeDatabase::Atomic;

  History(std::uint64_t seed, Without without, Atomic atomic = Atomic::kWrite)
      : SinkWorld(seed), without_(without) {
    database_->atomic = atomic;
    options_.batch_rows_max = 1 + random_.below(20);
    options_.batch_size_max = 200 + random_.below(4'000);
    database_->broken = without == Without::kFencing ? FakeDatabase::Broken::kFencing
                                                     : FakeDatabase::Broken::kNothing;
    database_->refuses = [this](const std::string& value) { return is_bad(value, bad_); };
    database_->does_not_fit = [this](const std::string& value) { return is_bad(value, unfit_); };
  }

  std::vector<std::string> run() {
    for (int turn = 0; turn < 600; ++turn) {
      act();
      for (std::size_t i = 0; i < runners_.size(); ++i) {
        step(i);
      }
      std::erase(runners_, nullptr);
      log_.run_once(random_.below(3));
      clock_.advance(std::chrono::milliseconds(random_.below(200)));
    }
    finish();
    return audit();
  }

 private:
  static bool is_bad(const std::string& value, std::size_t of) {
    return std::hash<std::string>()(value) % 10 < of;
  }

  void step(std::size_t i) {
    const std::size_t steps = random_.below(6);
    for (std::size_t n = 0; n < steps && runners_[i] != nullptr; ++n) {
      if (!runners_[i]->run_once()) {
        runners_[i].reset();  // displaced
      }
    }
  }

  void act() {
    switch (random_.below(24)) {
      case 0:
      case 1:
      case 2:
      case 3:
        append(static_cast<std::int32_t>(random_.below(kPartitions)), 1 + random_.below(30));
        break;
      case 4:
        database_->next_write = Fault::kBefore;
        break;
      case 5:
        database_->next_write = Fault::kAfter;
        break;
      case 6:
        database_->next_write = Fault::kLate;
        break;
      case 7:
        database_->deliver_late();
        break;
      case 8:
        database_->next_open = random_.below(2) == 0 ? Fault::kBefore : Fault::kAfter;
        break;
      case 9:
        database_->is_away = !database_->is_away;
        break;
      case 10:
        log_.fail_commits(1, ErrorCode::kBusy);
        break;
      case 11:
        log_.lose_commit_answers(1);
        break;
      case 12:  // constraints come and go
        bad_ = random_.below(4);
        unfit_ = random_.below(2);
        break;
      case 13:  // killed
        if (!runners_.empty()) {
          runners_.erase(runners_.begin() +
                         static_cast<std::ptrdiff_t>(random_.below(runners_.size())));
        }
        break;
      case 14:  // the machine dies
        runners_.clear();
        log_.crash();
        break;
      case 15:
      case 16:  // beside the one that is there: that one has become a zombie
        if (runners_.size() < 3) {
          start();
        }
        break;
      default:
        if (runners_.empty()) {
          start();
        } else if (without_ == Without::kAtomicity) {
          database_->broken = random_.below(4) == 0 ? FakeDatabase::Broken::kAtomicity
                                                    : FakeDatabase::Broken::kNothing;
        }
        break;
    }
  }

  void start() {
    if (without_ == Without::kNotes) {
      static_cast<void>(log_.delete_topic(kSinkDeadLettersTopic));
    }
    runners_.push_back(make_runner());
  }

  void finish() {
    if (without_ == Without::kAtomicity) {
      database_->broken = FakeDatabase::Broken::kNothing;
    }
    database_->is_away = false;
    runners_.clear();
    log_.crash();
    database_->deliver_late();
    start();
    PENSTOCK_CHECK(drain(*runners_.front()).has_value());
  }

  const Without without_;
  std::size_t bad_ = 1;
  std::size_t unfit_ = 0;
  std::vector<std::unique_ptr<SinkRunner>> runners_;
};

std::uint64_t history_count() {
  return std::getenv("PENSTOCK_TEST_FULL") != nullptr ? 3'000 : 300;
}

TEST(SinkRunnerModel, EveryEventIsExactlyOnceAtTheDestinationOrADeadLetter) {
  for (std::uint64_t seed = 1; seed <= history_count(); ++seed) {
    ASSERT_THAT(History(seed, History::Without::kNothing).run(), IsEmpty()) << "seed " << seed;
  }
}

TEST(SinkRunnerModel, LikewiseIfAWriteIsATransactionForEachPartition) {
  for (std::uint64_t seed = 1; seed <= history_count(); ++seed) {
    ASSERT_THAT(History(seed, History::Without::kNothing, FakeDatabase::Atomic::kPartition).run(),
                IsEmpty())
        << "seed " << seed;
  }
}

std::size_t bad_histories(History::Without without) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    found += History(seed, without).run().empty() ? 0 : 1;
  }
  return found;
}

TEST(SinkRunnerModel, FindsDoublesIfPositionsAreNotWrittenWithTheRows) {
  EXPECT_GT(bad_histories(History::Without::kAtomicity), 10U);
}

TEST(SinkRunnerModel, FindsDoublesIfNobodyIsFenced) {
  EXPECT_GT(bad_histories(History::Without::kFencing), 10U);
}

TEST(SinkRunnerModel, FindsDoublesIfTheNotesOfDeadLettersAreLost) {
  EXPECT_GT(bad_histories(History::Without::kNotes), 2U);
}

}  // namespace
}  // namespace penstock::sinks
