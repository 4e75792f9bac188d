// Reads orders and customers from standard input into the embedded log, processes them exactly
// once, and prints the sales that came out since the last time.
//
//   orders FOLDER < events
//   customer anna FR
//   order anna 300 tea 10000            (cents, product, milliseconds since the epoch)
//
// One thread does everything: the log and the engine are stepped in turn.
#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "dsl/windows.h"
#include "engine/streams.h"
#include "orders/orders.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "record/partitioner.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "wal/embedded_log.h"

namespace {

using namespace penstock;

constexpr std::int32_t kPartitionCount = 4;
constexpr int kStepsMax = 100'000;

class Program {
 public:
  Status open(const std::string& folder) {
    PENSTOCK_TRY(files_->create_directories(folder));
    wal::Options options;
    options.directory = os::join_path(folder, "log");
    options.segment_bytes = 32 * kMiB;
    options.append_bytes_max = 8 * kMiB;
    PENSTOCK_TRY_ASSIGN(
        log_, wal::EmbeddedLog::open(std::move(options), *files_, clock_, random_, registry_));
    for (const char* name : {"orders", "customers", "sales"}) {
      log::TopicConfig topic;
      topic.name = name;
      topic.partition_count = kPartitionCount;
      const auto made = log_->ensure_topic(topic);
      if (!made) {
        return made.error();
      }
    }
    PENSTOCK_TRY_ASSIGN(auto topology, orders::make_topology());
    std::vector<engine::Job> jobs;
    jobs.push_back({"orders-example", std::move(topology)});
    engine::Streams::Options streams;
    streams.thread.hash_seed = random_.next();
    PENSTOCK_TRY_ASSIGN(streams_, engine::Streams::open(*log_, clock_, registry_, logger_,
                                                        std::move(jobs), streams));
    return {};
  }

  // One line of input; what it does not know is said and left out.
  Status accept(const std::string& line) {
    std::istringstream words(line);
    std::string kind;
    std::string customer;
    words >> kind >> customer;
    Bytes value;
    std::int64_t at = 0;
    if (kind == "customer") {
      std::string country;
      words >> country;
      dsl::Serde<std::string>::encode(country, value);
    } else if (kind == "order") {
      orders::Order order;
      words >> order.cents >> order.product >> at;
      dsl::Serde<orders::Order>::encode(order, value);
    }
    if (value.empty() || words.fail()) {
      std::cerr << "not understood: " << line << '\n';
      return {};
    }
    return append(kind + "s", customer, value, Timestamp(at));
  }

  // Until everything that was accepted is processed and committed.
  Status run() {
    streams_->drain();
    for (int step = 0; step < kStepsMax && !streams_->is_drained(); ++step) {
      for (engine::StreamThread* thread : streams_->threads()) {
        const auto worked = thread->run_once();
        if (!worked) {
          return worked.error();
        }
      }
      const auto answered = log_->run_once(clock_.now());
      if (!answered) {
        return answered.error();
      }
    }
    return streams_->is_drained() ? Status() : Error(ErrorCode::kFatal, "it takes too long");
  }

  // All sales of the log.
  Status print_sales() {
    const auto info = log_->topic("sales");
    if (!info) {
      return info.error();
    }
    for (std::int32_t number = 0; number < kPartitionCount; ++number) {
      PENSTOCK_TRY(print_partition({info->id, PartitionId(number)}));
    }
    return {};
  }

  Status close() {
    for (engine::StreamThread* thread : streams_->threads()) {
      static_cast<void>(thread->close());
    }
    streams_.reset();
    return log_->close();
  }

 private:
  Status append(const std::string& topic, const std::string& key, const Bytes& value,
                Timestamp timestamp) {
    const auto info = log_->topic(topic);
    if (!info) {
      return info.error();
    }
    RecordBatchBuilder builder;
    builder.append(timestamp, as_bytes(key), ByteView(value));
    std::vector<log::PartitionBatch> batches;
    batches.push_back(
        {{info->id, partition_for_key(as_bytes(key), kPartitionCount)}, builder.finish()});
    Status outcome;
    PENSTOCK_TRY(log_->append(std::move(batches), [&outcome](Result<log::AppendResult> done) {
      outcome = done ? Status() : done.error();
    }));
    const auto answered = log_->run_once(clock_.now());
    return answered ? outcome : answered.error();
  }

  Status print_partition(TopicPartition partition) {
    PENSTOCK_TRY_ASSIGN(
        auto consumer,
        log_->open_consumer({.name = "print", .group_id = {}, .topics = {}, .instance_id = {}}));
    PENSTOCK_TRY(consumer->assign({{partition, Offset(0)}}));
    while (true) {
      PENSTOCK_TRY_ASSIGN(log::Consumer::Polled polled, consumer->poll(kMiB));
      if (polled.batches.empty()) {
        return {};
      }
      for (const log::FetchedBatch& batch : polled.batches) {
        PENSTOCK_TRY(print_batch(batch));
      }
    }
  }

  static Status print_batch(const log::FetchedBatch& batch) {
    PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                        RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly));
    RecordReader reader(view);
    for (RecordView record; reader.next(record);) {
      const auto key = dsl::Serde<dsl::Windowed<std::string>>::decode(*record.key);
      const auto sales = dsl::Serde<orders::Sales>::decode(*record.value);
      if (key.has_value() && sales.has_value()) {
        std::cout << key->key << ' ' << to_string(key->window.start) << ' ' << sales->count << ' '
                  << sales->cents << '\n';
      }
    }
    return reader.status();
  }

  const std::unique_ptr<os::FileSystem> files_ = os::make_posix_file_system();
  os::RealClock clock_;
  os::SeededRandom random_{os::random_seed()};
  telemetry::Registry registry_;
  telemetry::Logger logger_{clock_,
                            {.write = [](std::string_view line) { std::cerr << line << '\n'; }}};
  std::unique_ptr<wal::EmbeddedLog> log_;
  std::unique_ptr<engine::Streams> streams_;
};

Status run(const std::string& folder) {
  Program program;
  PENSTOCK_TRY(program.open(folder));
  for (std::string line; std::getline(std::cin, line);) {
    PENSTOCK_TRY(program.accept(line));
  }
  PENSTOCK_TRY(program.run());
  PENSTOCK_TRY(program.print_sales());
  return program.close();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: orders FOLDER < events\n";
    return 2;
  }
  const Status done = run(arguments[1]);
  if (!done) {
    std::cerr << done.error().to_string() << '\n';
    return 1;
  }
  return 0;
}
