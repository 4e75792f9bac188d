#include "simulation/engine_world.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/rfc3339.h"
#include "record/internal_headers.h"
#include "record/record_batch.h"

namespace penstock::testing {

namespace {

// What stands between `before` and the next `after`. Events and updates are of known form here.
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t begin = text.find(before);
  PENSTOCK_CHECK(begin != std::string_view::npos);
  text.remove_prefix(begin + before.size());
  return text.substr(0, text.find_first_of(after));
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  PENSTOCK_CHECK(parsed.ec == std::errc());
  return value;
}

std::int64_t floor_to(std::int64_t value, std::int64_t size) {
  return (value >= 0 ? value / size : -((-value + size - 1) / size)) * size;
}

// What records point into: the batch, or the memory that its reader unpacked it into.
using Memory = std::vector<std::pair<log::FetchedBatch, RecordReader>>;

std::vector<RecordView> read_all(SimLog& log, TopicPartition partition, Memory& memory) {
  auto consumer =
      log.open_consumer({.name = "test", .group_id = {}, .topics = {}, .instance_id = {}});
  PENSTOCK_CHECK(consumer.has_value());
  PENSTOCK_CHECK((*consumer)->assign({{partition, Offset(0)}}).has_value());
  std::vector<RecordView> records;
  while (true) {
    auto polled = (*consumer)->poll(1 << 20);
    PENSTOCK_CHECK(polled.has_value());
    if (polled->batches.empty()) {
      return records;
    }
    for (log::FetchedBatch& batch : polled->batches) {
      const auto view = RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kChecksum);
      PENSTOCK_CHECK(view.has_value());
      RecordReader reader(*view);
      for (RecordView record; reader.next(record);) {
        records.push_back(record);
      }
      memory.emplace_back(std::move(batch), std::move(reader));
    }
  }
}

}  // namespace

EngineWorld::EngineWorld(Options options)
    : options_(std::move(options)),
      logger_(clock_, {.write = [](std::string_view) {}}),
      log_(std::make_unique<SimLog>()) {
  if (options_.shares_out_anew) {
    log_->share_out_anew();
  }
  if (options_.marks_transactions) {
    log_->mark_transactions();
  }
  log::TopicConfig topic;
  topic.name = options_.job.topic.name;
  topic.partition_count = options_.job.topic.partition_count;
  auto made = log_->ensure_topic(topic);
  PENSTOCK_CHECK(made.has_value());
  topic_ = made->id;
  start();
}

EngineWorld::~EngineWorld() {
  second_.reset();
  streams_.reset();
}

void EngineWorld::start(std::optional<std::uint64_t> state_bytes_max) {
  streams_ = open_streams(options_.is_shared ? "one" : "", registry_,
                          state_bytes_max.value_or(options_.state_bytes_max));
  failure_.clear();
}

void EngineWorld::start_second() {
  PENSTOCK_CHECK(options_.is_shared);
  second_ = open_streams("two", second_registry_, options_.state_bytes_max);
}

void EngineWorld::stop_second() {
  for (engine::StreamThread* thread : second_->threads()) {
    thread->close();
  }
  second_.reset();
}

std::unique_ptr<engine::Streams> EngineWorld::open_streams(const std::string& instance,
                                                           telemetry::Registry& registry,
                                                           std::uint64_t state_bytes_max) {
  engine::Streams::Options options;
  options.thread.instance = instance;
  options.thread.compression = Compression::kLz4;
  options.threads_per_job = options_.threads;
  options.state_bytes_max = state_bytes_max;
  options.thread.exactly_once = options_.exactly_once;
  options.thread.hash_seed = 42;
  options.thread.commit_bytes_max = options_.commit_bytes_max;
  options.thread.fetch_bytes = options_.fetch_bytes;
  options.thread.queue_bytes_max = options_.queue_bytes_max;
  while (true) {
    auto topology = jobs::make_aggregate_topology(options_.job);
    PENSTOCK_CHECK(topology.has_value());
    std::vector<engine::Job> jobs;
    jobs.push_back({options_.job.name, *std::move(topology)});
    auto streams =
        engine::Streams::open(*log_, clock_, registry, logger_, std::move(jobs), options);
    if (streams) {
      return *std::move(streams);
    }
    // The log may be away when it is asked; who cannot start then is started again.
    PENSTOCK_CHECK(streams.error().code() == ErrorCode::kRetry ||
                   streams.error().code() == ErrorCode::kBusy);
  }
}

void EngineWorld::crash() {
  second_.reset();
  streams_.reset();
  log_->crash();
}

void EngineWorld::send(const std::vector<SimEvent>& events) {
  std::map<std::int32_t, RecordBatchBuilder> builders;
  const auto ingest = encode_ingest_time(
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.wall_now().time_since_epoch())
          .count());
  const HeaderView header{kIngestTimeHeader, ByteView(ingest)};
  for (const SimEvent& event : events) {
    RecordBatchBuilder& builder = builders[event.partition];
    const auto headers = builder.empty() ? std::span(&header, 1) : std::span<const HeaderView>();
    builder.append(Timestamp(event.timestamp), as_bytes(event.key), as_bytes(event.json), headers);
  }
  std::vector<log::PartitionBatch> batches;
  for (auto& [partition, builder] : builders) {
    batches.push_back({{topic_, PartitionId(partition)}, builder.finish()});
  }
  PENSTOCK_CHECK(log_->append(std::move(batches), [](auto) {}).has_value());
}

void EngineWorld::run_once(engine::Streams& process) {
  for (engine::StreamThread* thread : process.threads()) {
    const auto worked = thread->run_once();
    if (!worked) {
      failure_ = worked.error().to_string();
    }
  }
}

void EngineWorld::run_engine_once() {
  run_once(*streams_);
  if (second_ != nullptr) {
    run_once(*second_);
  }
  clock_.advance(std::chrono::milliseconds(3));
}

void EngineWorld::step() {
  run_engine_once();
  log_->run_once();
}

void EngineWorld::run(int steps) {
  for (int index = 0; index < steps; ++index) {
    step();
  }
}

void EngineWorld::run_until_idle() {
  streams_->drain();
  for (int index = 0; index < 100'000; ++index) {
    step();
    if (!failure_.empty()) {
      check_failed(failure_.c_str(), __FILE__, __LINE__);
    }
    if (streams_->is_drained()) {
      return;
    }
  }
  check_failed("the engine becomes idle", __FILE__, __LINE__);
}

Result<store::StoreAnswer> EngineWorld::query(store::StoreQuery query) {
  return this->query(*streams_, std::move(query));
}

Result<store::StoreAnswer> EngineWorld::query(engine::Streams& process, store::StoreQuery query) {
  std::optional<Result<store::StoreAnswer>> answer;
  process.query(std::move(query),
                [&](Result<store::StoreAnswer> given) { answer.emplace(std::move(given)); });
  for (int index = 0; index < 1000 && !answer.has_value(); ++index) {
    step();
  }
  PENSTOCK_CHECK(answer.has_value());
  return *std::move(answer);
}

Rows EngineWorld::query_all(std::uint32_t page_size) {
  Rows rows;
  query_all(*streams_, page_size, rows);
  if (second_ != nullptr) {
    query_all(*second_, page_size, rows);
  }
  return rows;
}

void EngineWorld::query_all(engine::Streams& process, std::uint32_t page_size, Rows& rows) {
  store::StoreQuery query;
  query.store = options_.job.name;
  query.limit = page_size;
  while (true) {
    const auto answer = this->query(process, query);
    PENSTOCK_CHECK(answer.has_value());
    for (const store::StoreEntry& entry : answer->entries) {
      const Row row{std::get<std::int64_t>(entry.aggregates[0]),
                    has_sum() ? std::get<std::int64_t>(entry.aggregates[1]) : 0};
      const bool is_new =
          rows.emplace(std::pair(entry.key[0].text, entry.window->start.value()), row).second;
      PENSTOCK_CHECK(is_new);
    }
    if (!answer->next_cursor.has_value()) {
      return;
    }
    query.cursor = *answer->next_cursor;
  }
}

Rows EngineWorld::output() {
  Rows rows;
  const auto info = log_->topic(options_.job.name);
  PENSTOCK_CHECK(info.has_value());
  for (std::int32_t number_of = 0; number_of < info->config.partition_count; ++number_of) {
    Memory memory;
    for (const RecordView& record : read_all(*log_, {info->id, PartitionId(number_of)}, memory)) {
      const std::string_view json = as_text(*record.value);
      const auto start = parse_rfc3339(between(json, R"("window_start":")", "\""));
      const std::string group(between(json, "[\"", "\""));
      rows[{group, *start}] = {number(between(json, "\"count\":", ",}")),
                               has_sum() ? number(between(json, "\"/n\":", ",}")) : 0};
    }
  }
  return rows;
}

Rows EngineWorld::expected() {
  Rows rows;
  expected_late_ = 0;
  const std::int64_t size = options_.job.window.count();
  const bool by_key = options_.job.group_by.front() == options_.job.topic.key;
  for (std::int32_t at = 0; at < options_.job.topic.partition_count; ++at) {
    Memory memory;
    std::optional<std::int64_t> stream_time;
    for (const RecordView& record : read_all(*log_, {topic_, PartitionId(at)}, memory)) {
      const std::int64_t time = record.timestamp.value();
      stream_time = std::max(stream_time.value_or(time), time);
      const std::int64_t start = floor_to(time, size);
      if (start + size + options_.job.grace.count() <= *stream_time) {
        ++expected_late_;
        continue;
      }
      const std::string_view json = as_text(*record.value);
      const std::string group(by_key ? as_text(*record.key) : between(json, "\"g\":\"", "\""));
      Row& row = rows[{group, start}];
      ++row.count;
      row.sum += has_sum() ? number(between(json, "\"n\":", ",}")) : 0;
    }
  }
  return rows;
}

}  // namespace penstock::testing
