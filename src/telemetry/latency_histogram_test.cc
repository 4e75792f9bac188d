#include "telemetry/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/counter.h"
#include "os/random.h"
#include "os/thread.h"

namespace penstock::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(LatencyHistogram, AnswersZeroForEverythingWhileEmpty) {
  const LatencyHistogram histogram;

  const HistogramSnapshot snapshot = histogram.snapshot();

  EXPECT_EQ(snapshot.count(), 0u);
  EXPECT_EQ(snapshot.quantile(0.99), nanoseconds(0));
  EXPECT_EQ(snapshot.max(), nanoseconds(0));
}

TEST(LatencyHistogram, KeepsEveryQuantileWithinOnePercentOfTheTruth) {
  os::SeededRandom random(7);
  LatencyHistogram histogram;
  std::vector<std::int64_t> truth;
  for (int i = 0; i < 20'000; ++i) {
    // Spread evenly over the exponents, from 1 ns to about 18 minutes.
    const auto value =
        static_cast<std::int64_t>(std::exp2(static_cast<double>(random.below(4000)) / 100));
    truth.push_back(value);
    histogram.record(nanoseconds(value));
  }
  std::sort(truth.begin(), truth.end());

  const HistogramSnapshot snapshot = histogram.snapshot();

  for (const double q : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(truth.size())));
    const auto exact = static_cast<double>(truth[std::max<std::size_t>(rank, 1) - 1]);
    EXPECT_NEAR(static_cast<double>(snapshot.quantile(q).count()), exact, exact * 0.01)
        << "q=" << q;
  }
}

TEST(LatencyHistogram, KeepsSumAndMaximumExact) {
  LatencyHistogram histogram;
  histogram.record(nanoseconds(1'234'567), 3);
  histogram.record(nanoseconds(7'654'321));

  const HistogramSnapshot snapshot = histogram.snapshot();

  EXPECT_EQ(snapshot.count(), 4u);
  EXPECT_EQ(snapshot.sum(), nanoseconds(3 * 1'234'567 + 7'654'321));
  EXPECT_EQ(snapshot.max(), nanoseconds(7'654'321));
  EXPECT_LE(snapshot.quantile(1.0), snapshot.max());
}

TEST(LatencyHistogram, CountsNegativeDurationsAsZeroAndHoursInTheLastBucket) {
  LatencyHistogram histogram;
  histogram.record(milliseconds(-5));
  histogram.record(std::chrono::hours(5));

  const HistogramSnapshot snapshot = histogram.snapshot();

  EXPECT_EQ(snapshot.count(), 2u);
  EXPECT_EQ(snapshot.quantile(0.5), nanoseconds(0));
  EXPECT_EQ(snapshot.max(), std::chrono::hours(5));
  EXPECT_GT(snapshot.quantile(1.0), std::chrono::hours(1));
}

TEST(HistogramSnapshot, MergesAsIfRecordedInOne) {
  LatencyHistogram left;
  LatencyHistogram right;
  left.record(milliseconds(1), 99);
  right.record(milliseconds(100), 1);

  HistogramSnapshot both = left.snapshot();
  both.merge(right.snapshot());

  EXPECT_EQ(both.count(), 100u);
  EXPECT_EQ(both.max(), milliseconds(100));
  EXPECT_EQ(both.count_up_to(milliseconds(10)), 99u);
  EXPECT_LT(both.quantile(0.99), milliseconds(2));
  EXPECT_GT(both.quantile(0.995), milliseconds(99));
}

TEST(HistogramSnapshot, LeavesTheIntervalWhenAnEarlierOneIsSubtracted) {
  LatencyHistogram histogram;
  histogram.record(std::chrono::seconds(9), 50);
  const HistogramSnapshot warm_up = histogram.snapshot();
  histogram.record(milliseconds(2), 10);

  HistogramSnapshot measured = histogram.snapshot();
  measured.subtract(warm_up);

  EXPECT_EQ(measured.count(), 10u);
  EXPECT_EQ(measured.sum(), milliseconds(20));
  EXPECT_LT(measured.max(), milliseconds(3));
  EXPECT_LT(measured.quantile(0.999), milliseconds(3));
}

TEST(HistogramSnapshot, TakenWhileTheWriterRecordsNeverCountsMoreThanWasRecorded) {
  LatencyHistogram histogram;
  Counter recorded;
  os::Thread writer("writer", [&](const os::StopToken& stop) {
    while (!stop.requested()) {
      recorded.add(1);
      histogram.record(milliseconds(3));
    }
  });

  std::uint64_t before = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t count = histogram.snapshot().count();
    EXPECT_LE(count, recorded.get());
    EXPECT_GE(count, before);
    before = count;
  }
  writer.request_stop();
  writer.join();

  EXPECT_EQ(histogram.snapshot().count(), recorded.get());
}

}  // namespace
}  // namespace penstock::telemetry
