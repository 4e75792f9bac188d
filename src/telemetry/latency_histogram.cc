#include "telemetry/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/check.h"

namespace penstock::telemetry {
namespace {

constexpr unsigned kBits = kHistogramSubBucketBits;
constexpr std::uint64_t kValueMax = (std::uint64_t{1} << kHistogramValueBits) - 1;

// Values below 64 have a bucket each. Above, the top 7 bits of the value choose the bucket: the
// exponent picks a group of 64, the 6 bits after the leading one pick within it.
std::size_t bucket_of(std::uint64_t value) {
  value = std::min(value, kValueMax);
  if (value < (std::uint64_t{1} << kBits)) {
    return static_cast<std::size_t>(value);
  }
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
  return (std::size_t{shift} << kBits) + static_cast<std::size_t>(value >> shift);
}

unsigned shift_of(std::size_t bucket) {
  return bucket < (std::size_t{1} << kBits) ? 0 : static_cast<unsigned>((bucket >> kBits) - 1);
}

// The smallest value that belongs to `bucket`.
std::uint64_t low_of(std::size_t bucket) {
  const unsigned shift = shift_of(bucket);
  return (bucket - (std::uint64_t{shift} << kBits)) << shift;
}

// The middle of a bucket: what its values are reported as.
std::uint64_t middle_of(std::size_t bucket) {
  return low_of(bucket) + ((std::uint64_t{1} << shift_of(bucket)) >> 1);
}

std::uint64_t positive_ns(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
}

// One writer: a load and a store are enough and cheaper than a locked addition.
void add_unshared(std::atomic<std::uint64_t>& to, std::uint64_t amount) {
  to.store(to.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

}  // namespace

void LatencyHistogram::record(std::chrono::nanoseconds duration, std::uint64_t count) {
  const std::uint64_t value = positive_ns(duration);
  add_unshared(counts_[bucket_of(value)], count);
  add_unshared(sum_ns_, value * count);
  if (count > 0 && value > max_ns_.load(std::memory_order_relaxed)) {
    max_ns_.store(value, std::memory_order_relaxed);
  }
}

HistogramSnapshot LatencyHistogram::snapshot() const {
  HistogramSnapshot snapshot;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    snapshot.counts_[i] = counts_[i].load(std::memory_order_relaxed);
    snapshot.count_ += snapshot.counts_[i];
  }
  snapshot.sum_ns_ = sum_ns_.load(std::memory_order_relaxed);
  snapshot.max_ns_ = max_ns_.load(std::memory_order_relaxed);
  return snapshot;
}

void HistogramSnapshot::merge(const HistogramSnapshot& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

void HistogramSnapshot::subtract(const HistogramSnapshot& earlier) {
  std::size_t highest = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    PENSTOCK_CHECK(counts_[i] >= earlier.counts_[i]);
    counts_[i] -= earlier.counts_[i];
    highest = counts_[i] > 0 ? i : highest;
  }
  count_ -= earlier.count_;
  sum_ns_ -= earlier.sum_ns_;
  max_ns_ = std::min(max_ns_, middle_of(highest));
}

std::chrono::nanoseconds HistogramSnapshot::quantile(double q) const {
  PENSTOCK_CHECK(q >= 0 && q <= 1);
  if (count_ == 0) {
    return std::chrono::nanoseconds(0);
  }
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted) {
      return std::chrono::nanoseconds(std::min(middle_of(i), max_ns_));
    }
  }
  return max();
}

std::uint64_t HistogramSnapshot::count_up_to(std::chrono::nanoseconds limit) const {
  const std::uint64_t limit_ns = positive_ns(limit);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < counts_.size() && low_of(i) <= limit_ns; ++i) {
    count += counts_[i];
  }
  return count;
}

}  // namespace penstock::telemetry
