#include "kit/embedded_program.h"

#include <chrono>
#include <iostream>
#include <utility>

#include "log/read_partition.h"
#include "record/partitioner.h"

namespace kit {

using namespace penstock;

namespace {

constexpr std::int32_t kPartitionCount = 4;
constexpr std::chrono::milliseconds kPause{1};
constexpr std::chrono::seconds kRunMax{60};

}  // namespace

void EmbeddedProgram::print(std::string_view line) {
  std::cerr << line << '\n';
}

Status EmbeddedProgram::open(const std::string& folder, const std::string& application,
                             topology::Topology topology, const std::vector<std::string>& topics) {
  PENSTOCK_TRY(files_->create_directories(folder));
  wal::Options options;
  options.directory = os::join_path(folder, "log");
  options.segment_bytes = 32 * kMiB;
  options.append_bytes_max = 8 * kMiB;
  PENSTOCK_TRY_ASSIGN(
      log_, wal::EmbeddedLog::open(std::move(options), *files_, clock_, random_, registry_));
  for (const std::string& name : topics) {
    log::TopicConfig topic;
    topic.name = name;
    topic.partition_count = kPartitionCount;
    const auto made = log_->ensure_topic(topic);
    if (!made) {
      return made.error();
    }
  }
  std::vector<engine::Job> jobs;
  jobs.push_back({application, std::move(topology)});
  engine::Streams::Options streams;
  streams.thread.hash_seed = random_.next();
  PENSTOCK_TRY_ASSIGN(
      streams_, engine::Streams::open(*log_, clock_, registry_, logger_, std::move(jobs), streams));
  return {};
}

Status EmbeddedProgram::append(const std::string& topic, ByteView key, ByteView value,
                               Timestamp timestamp) {
  const auto info = log_->topic(topic);
  if (!info) {
    return info.error();
  }
  RecordBatchBuilder builder;
  builder.append(timestamp, key, value);
  std::vector<log::PartitionBatch> batches;
  batches.push_back({{info->id, partition_for_key(key, kPartitionCount)}, builder.finish()});
  Status outcome;
  PENSTOCK_TRY(log_->append(std::move(batches), [&outcome](Result<log::AppendResult> done) {
    outcome = done ? Status() : done.error();
  }));
  const auto answered = log_->run_once(clock_.now());
  return answered ? outcome : answered.error();
}

Status EmbeddedProgram::run() {
  streams_->drain();
  const os::TimePoint end = clock_.now() + kRunMax;
  while (!streams_->is_drained()) {
    PENSTOCK_TRY_ASSIGN(const bool worked, step());
    if (!worked) {
      streams_->threads().front()->wait(kPause);
    }
    if (clock_.now() > end) {
      return Error(ErrorCode::kFatal, "it takes too long");
    }
  }
  return {};
}

Result<bool> EmbeddedProgram::step() {
  bool worked = false;
  for (engine::StreamThread* thread : streams_->threads()) {
    PENSTOCK_TRY_ASSIGN(const bool thread_worked, thread->run_once());
    worked = worked || thread_worked;
  }
  PENSTOCK_TRY_ASSIGN(const std::size_t answered, log_->run_once(clock_.now()));
  return worked || answered > 0;
}

Status EmbeddedProgram::read(const std::string& topic,
                             const std::function<void(const RecordView&)>& visit) {
  const auto info = log_->topic(topic);
  if (!info) {
    return info.error();
  }
  for (std::int32_t number = 0; number < kPartitionCount; ++number) {
    PENSTOCK_TRY(log::read_partition(*log_, {info->id, PartitionId(number)}, "read",
                                     [&](const RecordView& record) -> Status {
                                       visit(record);
                                       return {};
                                     }));
  }
  return {};
}

Status EmbeddedProgram::close() {
  for (engine::StreamThread* thread : streams_->threads()) {
    thread->close();
  }
  streams_.reset();
  return log_->close();
}

}  // namespace kit
