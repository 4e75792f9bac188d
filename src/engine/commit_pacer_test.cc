#include "engine/commit_pacer.h"

#include <gtest/gtest.h>

namespace penstock::engine {
namespace {

using namespace std::chrono_literals;

TEST(CommitPacer, KeepsTheIntervalWithoutATarget) {
  CommitPacer pacer(20ms, std::nullopt);
  pacer.took(15ms);

  EXPECT_EQ(pacer.interval(), 20ms);
}

TEST(CommitPacer, LeavesTheTargetToProcessingButForTheCommit) {
  CommitPacer pacer(20ms, 100ms);
  EXPECT_EQ(pacer.interval(), 100ms);

  pacer.took(16ms);

  EXPECT_EQ(pacer.interval(), 84ms);
}

TEST(CommitPacer, ProcessesAtLeastAsLongAsItCommits) {
  CommitPacer pacer(20ms, 50ms);
  pacer.took(40ms);

  EXPECT_EQ(pacer.interval(), 40ms);
}

TEST(CommitPacer, NeverCommitsWithoutPause) {
  CommitPacer pacer(20ms, 0ms);

  EXPECT_EQ(pacer.interval(), CommitPacer::kIntervalMin);
}

TEST(CommitPacer, ForgetsASlowCommitByAndBy) {
  CommitPacer pacer(20ms, 100ms);
  pacer.took(64ms);
  pacer.took(1ms);
  EXPECT_EQ(pacer.interval(), 60ms);  // 64 ms less a sixteenth
  for (int commit = 0; commit < 100; ++commit) {
    pacer.took(1ms);
  }

  EXPECT_GT(pacer.interval(), 98ms);
}

}  // namespace
}  // namespace penstock::engine
