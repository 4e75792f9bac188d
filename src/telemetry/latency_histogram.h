// LatencyHistogram counts durations in log-linear buckets: 64 per power of two, 1 ns to 73 minutes.
//
// A bucket is at most 1/64 as wide as its values, so a quantile is off by at most 0.8 % (values
// below 64 ns are exact). Recording is an index computation and one store; nothing allocates. The
// exact sum and maximum are kept beside the buckets. To see an interval instead of all time, take
// two snapshots and subtract.
//
// Invariants
//   I1  Every recorded value is in exactly one bucket; longer ones than the last count in the last.
// Threads   record() from one thread, its writer; snapshot() from any. A snapshot taken while the
//           writer records may miss its last few values, never invent any.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock::telemetry {

inline constexpr unsigned kHistogramSubBucketBits = 6;
inline constexpr unsigned kHistogramValueBits = 42;
inline constexpr std::size_t kHistogramBucketCount =
    std::size_t{kHistogramValueBits - kHistogramSubBucketBits + 1} << kHistogramSubBucketBits;

// What was recorded up to some moment; a plain value.
class HistogramSnapshot {
 public:
  HistogramSnapshot() : counts_(kHistogramBucketCount) {}

  // Adds what `other` holds, as if both had been recorded in one histogram.
  void merge(const HistogramSnapshot& other);

  // Leaves what was recorded after `earlier`, an older snapshot of the same histograms. The maximum
  // becomes that of the highest bucket left.
  void subtract(const HistogramSnapshot& earlier);

  [[nodiscard]] std::uint64_t count() const { return count_; }

  [[nodiscard]] std::chrono::nanoseconds sum() const { return std::chrono::nanoseconds(sum_ns_); }

  [[nodiscard]] std::chrono::nanoseconds max() const { return std::chrono::nanoseconds(max_ns_); }

  // The value that a fraction `q` (0 to 1) of the recorded ones does not exceed; 0 if there are
  // none.
  [[nodiscard]] std::chrono::nanoseconds quantile(double q) const;

  // How many values were at most `limit`, or above it by less than a bucket's width.
  [[nodiscard]] std::uint64_t count_up_to(std::chrono::nanoseconds limit) const;

 private:
  friend class LatencyHistogram;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ns_ = 0;
  std::uint64_t max_ns_ = 0;
};

class LatencyHistogram {
 public:
  LatencyHistogram() = default;
  LatencyHistogram(const LatencyHistogram&) = delete;
  LatencyHistogram& operator=(const LatencyHistogram&) = delete;

  // Counts `duration` `count` times: a batch whose events all took this long is one call. Negative
  // durations (a clock was set back) count as 0.
  void record(std::chrono::nanoseconds duration, std::uint64_t count = 1);

  [[nodiscard]] HistogramSnapshot snapshot() const;

 private:
  std::array<std::atomic<std::uint64_t>, kHistogramBucketCount> counts_{};
  std::atomic<std::uint64_t> sum_ns_{0};
  std::atomic<std::uint64_t> max_ns_{0};
};

}  // namespace penstock::telemetry
