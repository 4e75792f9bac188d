#include "kit/program.h"

#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

#include "engine/streams.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "record/partitioner.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "wal/embedded_log.h"

namespace kit {

namespace {

using namespace penstock;

constexpr std::int32_t kPartitionCount = 4;
constexpr int kStepsMax = 100'000;

class Runner {
 public:
  explicit Runner(const Program& program) : program_(program) {}

  Status open(const std::string& folder) {
    PENSTOCK_TRY(files_->create_directories(folder));
    wal::Options options;
    options.directory = os::join_path(folder, "log");
    options.segment_bytes = 32 * kMiB;
    options.append_bytes_max = 8 * kMiB;
    PENSTOCK_TRY_ASSIGN(
        log_, wal::EmbeddedLog::open(std::move(options), *files_, clock_, random_, registry_));
    std::vector<std::string> topics = program_.inputs;
    topics.insert(topics.end(), program_.others.begin(), program_.others.end());
    topics.push_back(program_.output);
    for (const std::string& name : topics) {
      log::TopicConfig topic;
      topic.name = name;
      topic.partition_count = kPartitionCount;
      const auto made = log_->ensure_topic(topic);
      if (!made) {
        return made.error();
      }
    }
    PENSTOCK_TRY_ASSIGN(auto topology, program_.make_topology());
    std::vector<engine::Job> jobs;
    jobs.push_back({program_.name, std::move(topology)});
    engine::Streams::Options streams;
    streams.thread.hash_seed = random_.next();
    PENSTOCK_TRY_ASSIGN(streams_, engine::Streams::open(*log_, clock_, registry_, logger_,
                                                        std::move(jobs), streams));
    return {};
  }

  // One line of input; what it does not know is said and left out.
  Status accept(const std::string& line) {
    std::istringstream words(line);
    const std::optional<Record> record = program_.parse(words);
    if (!record.has_value()) {
      std::cerr << "not understood: " << line << '\n' << program_.usage << '\n';
      return {};
    }
    return append(*record);
  }

  // Until everything that was accepted is processed and committed.
  Status process() {
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

  Status print_results() {
    const auto info = log_->topic(program_.output);
    if (!info) {
      return info.error();
    }
    for (std::int32_t number = 0; number < kPartitionCount; ++number) {
      PENSTOCK_TRY(read_results({info->id, PartitionId(number)}));
    }
    for (const auto& [key, value] : results_) {
      std::cout << program_.print(as_bytes(key), as_bytes(value)) << '\n';
    }
    return {};
  }

  Status close() {
    for (engine::StreamThread* thread : streams_->threads()) {
      thread->close();
    }
    streams_.reset();
    return log_->close();
  }

 private:
  Status append(const Record& record) {
    const auto info = log_->topic(record.topic);
    if (!info) {
      return info.error();
    }
    RecordBatchBuilder builder;
    builder.append(record.timestamp, ByteView(record.key), ByteView(record.value));
    const PartitionId partition = partition_for_key(ByteView(record.key), kPartitionCount);
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{info->id, partition}, builder.finish()});
    Status outcome;
    PENSTOCK_TRY(log_->append(std::move(batches), [&outcome](Result<log::AppendResult> done) {
      outcome = done ? Status() : done.error();
    }));
    const auto answered = log_->run_once(clock_.now());
    return answered ? outcome : answered.error();
  }

  Status read_results(TopicPartition partition) {
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
        PENSTOCK_TRY(take(batch));
      }
    }
  }

  // Keeps the last result of each key; without a value there is none.
  Status take(const log::FetchedBatch& batch) {
    PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                        RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly));
    RecordReader reader(view);
    for (RecordView record; reader.next(record);) {
      const std::string key(as_text(*record.key));
      if (record.value.has_value()) {
        results_.insert_or_assign(key, std::string(as_text(*record.value)));
      } else {
        results_.erase(key);
      }
    }
    return reader.status();
  }

  const Program& program_;
  const std::unique_ptr<os::FileSystem> files_ = os::make_posix_file_system();
  os::RealClock clock_;
  os::SeededRandom random_{os::random_seed()};
  telemetry::Registry registry_;
  telemetry::Logger logger_{clock_,
                            {.write = [](std::string_view line) { std::cerr << line << '\n'; }}};
  std::unique_ptr<wal::EmbeddedLog> log_;
  std::unique_ptr<engine::Streams> streams_;
  std::map<std::string, std::string> results_;
};

Status run(const Program& program, const std::string& folder) {
  Runner runner(program);
  PENSTOCK_TRY(runner.open(folder));
  for (std::string line; std::getline(std::cin, line);) {
    PENSTOCK_TRY(runner.accept(line));
  }
  PENSTOCK_TRY(runner.process());
  PENSTOCK_TRY(runner.print_results());
  return runner.close();
}

}  // namespace

int run(const Program& program, int count, char** arguments) {
  if (count != 2 || std::string_view(arguments[1]).starts_with("-")) {
    std::cerr << "usage: " << program.name << " FOLDER < events\n" << program.usage << '\n';
    return count == 2 && std::string_view(arguments[1]) == "--help" ? 0 : 2;
  }
  const Status done = run(program, arguments[1]);
  if (!done) {
    std::cerr << program.name << ": " << done.error().to_string() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace kit
