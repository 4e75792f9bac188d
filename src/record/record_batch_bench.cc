// What one record costs to encode and to decode, in batches of about 64 KiB.
//
//   cmake --build --preset release --target record_bench && build/release/bin/record_bench
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/check.h"
#include "record/record_batch.h"

namespace penstock {
namespace {

constexpr std::size_t kBatchSize = 64 * 1024;
constexpr std::size_t kKeyCount = 4096;

std::vector<std::string> make_keys() {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kKeyCount; ++i) {
    keys.push_back("user-" + std::to_string(100000 + i));  // 11 bytes
  }
  return keys;
}

void encode(benchmark::State& state) {
  const std::vector<std::string> keys = make_keys();
  const std::string value(static_cast<std::size_t>(state.range(0)), 'x');
  RecordBatchBuilder builder(2 * kBatchSize);
  std::int64_t timestamp = 1'700'000'000'000;
  std::size_t records = 0;
  for (auto _ : state) {
    while (builder.size_bytes() < kBatchSize) {
      builder.append(Timestamp(timestamp + static_cast<std::int64_t>(records % 64)),
                     as_bytes(keys[records % kKeyCount]), as_bytes(value));
      ++records;
    }
    RecordBatch batch = builder.finish();
    benchmark::DoNotOptimize(batch.bytes.data());
    builder.recycle(std::move(batch));
  }
  state.counters["per_record"] = benchmark::Counter(
      static_cast<double>(records), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void decode(benchmark::State& state) {
  const std::vector<std::string> keys = make_keys();
  const std::string value(static_cast<std::size_t>(state.range(0)), 'x');
  RecordBatchBuilder builder(2 * kBatchSize);
  while (builder.size_bytes() < kBatchSize) {
    builder.append(Timestamp(1'700'000'000'000 + builder.record_count()),
                   as_bytes(keys[builder.record_count() % kKeyCount]), as_bytes(value));
  }
  const RecordBatch batch = builder.finish();
  std::size_t records = 0;
  for (auto _ : state) {
    const auto view = RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly);
    PENSTOCK_CHECK(view.has_value());
    RecordReader reader(*view);
    RecordView record;
    std::size_t bytes = 0;
    while (reader.next(record)) {
      bytes += record.key->size() + record.value->size();
      ++records;
    }
    benchmark::DoNotOptimize(bytes);
  }
  state.counters["per_record"] = benchmark::Counter(
      static_cast<double>(records), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(encode)->Arg(100)->Arg(200)->Arg(600);
BENCHMARK(decode)->Arg(100)->Arg(200)->Arg(600);

}  // namespace
}  // namespace penstock
