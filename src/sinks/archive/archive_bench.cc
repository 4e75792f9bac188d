// What one event costs from the log's memory to a published file.
//
//   cmake --build --preset release --target sinks_bench && build/release/bin/sinks_bench
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/check.h"
#include "os/file_system.h"
#include "record/internal_headers.h"
#include "record/record_batch.h"
#include "sinks/archive/archive_file.h"
#include "sinks/archive/local_archive_store.h"

namespace penstock::sinks {
namespace {

constexpr std::size_t kBatchSize = 64 * kKiB;
constexpr std::size_t kBatchCount = 64;

// Batches of JSON events of about 100 bytes, keys of 11 bytes out of 100,000, as the gateway
// writes them.
std::vector<RecordBatch> make_batches() {
  std::vector<RecordBatch> batches;
  std::uint64_t state = 1;
  std::int64_t offset = 0;
  RecordBatchBuilder builder;
  while (batches.size() < kBatchCount) {
    const auto ingest = encode_ingest_time(1'714'564'800'000'000);
    const HeaderView header{kIngestTimeHeader, ByteView(ingest)};
    while (builder.size_bytes() < kBatchSize) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      const std::string key = "user-" + std::to_string(100'000 + (state >> 33) % 100'000);
      const std::string value = R"({"user":")" + key + R"(","type":"click","page":"/shop/)" +
                                std::to_string((state >> 40) % 5000) +
                                R"(","ts":"2024-05-01T12:00:00Z","amount":)" +
                                std::to_string(state >> 48) + "}";
      if (builder.empty()) {
        builder.append(Timestamp(1'714'564'800'000), as_bytes(key), as_bytes(value), {&header, 1});
      } else {
        builder.append(Timestamp(1'714'564'800'000), as_bytes(key), as_bytes(value));
      }
    }
    const std::uint32_t count = builder.record_count();
    batches.push_back(builder.finish());
    set_base_offset(batches.back().bytes, Offset(offset));
    offset += count;
  }
  return batches;
}

std::uint64_t write_file(os::FileSystem& files, const std::string& directory,
                         const std::vector<RecordBatch>& batches, std::int64_t rows_max) {
  LocalArchiveStore store(files, directory);
  auto file =
      ArchiveFile::create(files, store, {.topic = "web", .hour = 476'268, .first = Offset(0)});
  PENSTOCK_CHECK(file.has_value());
  ParquetWriter& writer = (*file)->writer();
  for (std::size_t i = 0; static_cast<std::int64_t>(writer.row_count()) < rows_max; ++i) {
    const auto batch = RecordBatchView::parse(batches[i % batches.size()].bytes,
                                              RecordBatchView::Verify::kChecksum);
    PENSTOCK_CHECK(batch.has_value());
    RecordReader reader(*batch);
    RecordView record;
    while (reader.next(record)) {
      PENSTOCK_CHECK(writer.add(record, 1'714'564'800'000'000).has_value());
    }
    PENSTOCK_CHECK(writer.write().has_value());
  }
  PENSTOCK_CHECK((*file)->publish(Offset(rows_max)).has_value());
  return (*file)->size();
}

void archive(benchmark::State& state) {
  const auto files = os::make_posix_file_system();
  const std::string directory = "/tmp/penstock-archive-bench";
  const std::vector<RecordBatch> batches = make_batches();
  constexpr std::int64_t kRows = 1'000'000;
  std::uint64_t size = 0;
  for (auto _ : state) {
    size = write_file(*files, directory, batches, kRows);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["bytes_per_row"] = static_cast<double>(size) / kRows;
}

BENCHMARK(archive)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace penstock::sinks
