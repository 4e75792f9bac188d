// TopologyTestDriver runs a topology without a log: records in, records out, synchronously.
//
// Kafka Streams' class of this name, with the real tasks of the engine behind it. Each record that
// is piped in is processed at once, committed, and passed on through repartition topics until
// nothing is left; then what came out can be read. The wall clock stands still until it is moved.
//
//   TopologyTestDriver driver(topology);
//   auto clicks = driver.create_input_topic<std::string, std::string>("clicks");
//   auto counts = driver.create_output_topic<std::string, std::int64_t>("counts");
//   clicks.pipe_input("anna", "/", Timestamp(10));
//   EXPECT_EQ(counts.read_record()->value, 1);
//
// Threads   one.
// Lifetime  the topology outlives the driver, the driver its topics and stores.
// Errors    what a topology answers (a record that cannot be decoded, a full buffer) stops the
//           program and says why, but for TestInputTopic::send(), which gives it back.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/check.h"
#include "dsl/record.h"
#include "dsl/serde.h"
#include "dsl/typed_stores.h"
#include "engine/topology_driver.h"
#include "telemetry/logger.h"
#include "testdriver/manual_clock.h"

namespace penstock::testdriver {

// A record as a test writes and reads it.
template <typename K, typename V>
struct TestRecord {
  std::optional<K> key;
  std::optional<V> value;
  Timestamp timestamp{0};
  dsl::Headers headers = {};

  friend bool operator==(const TestRecord&, const TestRecord&) = default;
};

template <typename K, typename V>
class TestInputTopic;

template <typename K, typename V>
class TestOutputTopic;

class TopologyTestDriver {
 public:
  struct Options {
    std::chrono::milliseconds initial_wall_clock_time{0};
    std::int32_t partition_count = 1;  // of every topic
    std::uint64_t record_cache_bytes_max = topology::kRecordCacheBytesDefault;
    // Where stores in RocksDB have their folders. Empty: their files are in memory.
    std::string state_directory = {};
  };

  explicit TopologyTestDriver(const topology::Topology& topology)
      : TopologyTestDriver(topology, Options()) {}

  TopologyTestDriver(const topology::Topology& topology, const Options& options);

  // Records get the timestamp given, or else `start` and every `advance` more.
  template <dsl::Serializable K, dsl::Serializable V>
  [[nodiscard]] TestInputTopic<K, V> create_input_topic(std::string topic,
                                                        Timestamp start = Timestamp(0),
                                                        std::chrono::milliseconds advance = {}) {
    return {*this, std::move(topic), start, advance};
  }

  template <dsl::Serializable K, dsl::Serializable V>
  [[nodiscard]] TestOutputTopic<K, V> create_output_topic(std::string topic) {
    return {*this, std::move(topic)};
  }

  // Moves the clock and nothing else.
  void move_clock(std::chrono::milliseconds by) { clock_.advance(by); }

  // Moves the clock and runs the punctuations that are due.
  void advance_wall_clock_time(std::chrono::milliseconds by);

  // The part of a store that lies in a partition.
  template <typename K, typename V>
  [[nodiscard]] dsl::KeyValueStore<K, V> key_value_store(std::string_view name,
                                                         PartitionId partition = PartitionId(0)) {
    return dsl::KeyValueStore<K, V>(store<store::KeyValueBytes>(name, partition));
  }

  template <typename K, typename V>
  [[nodiscard]] dsl::WindowStore<K, V> window_store(std::string_view name,
                                                    PartitionId partition = PartitionId(0)) {
    return dsl::WindowStore<K, V>(store<store::WindowBytes>(name, partition));
  }

  template <typename K, typename V>
  [[nodiscard]] dsl::SessionStore<K, V> session_store(std::string_view name,
                                                      PartitionId partition = PartitionId(0)) {
    return dsl::SessionStore<K, V>(store<store::SessionBytes>(name, partition));
  }

  // A crash and a new start: tasks with stores restored from their changelogs.
  void restart() { expect(driver_->restart()); }

  // Records that were dropped, late, ...
  [[nodiscard]] const topology::RecordCounts& counts() const { return driver_->counts(); }

  // One record as bytes: what the input topics do.
  [[nodiscard]] Status pipe(std::string_view topic, const engine::DrivenRecord& record);

  // Everything that came out to a topic, in order of commits.
  [[nodiscard]] const std::vector<engine::DrivenRecord>& produced(std::string_view topic) {
    return driver_->output(topic);
  }

  // For finer steps: what is sent is processed and committed when the test says so.
  [[nodiscard]] engine::TopologyDriver& driver() { return *driver_; }

  // Stops the program with the error, if there is one.
  static void expect(const Status& status);

  [[nodiscard]] PartitionId partition_for(std::optional<ByteView> key) const;

 private:
  template <typename Bytes>
  [[nodiscard]] Bytes& store(std::string_view name, PartitionId partition) {
    auto* store = dynamic_cast<Bytes*>(&driver_->store(name, partition));
    PENSTOCK_CHECK(store != nullptr);
    return *store;
  }

  ManualClock clock_;
  telemetry::Logger logger_;
  std::unique_ptr<store::RocksEnvironment> rocks_;  // if the topology has stores in RocksDB
  const std::int32_t partition_count_;
  std::unique_ptr<engine::TopologyDriver> driver_;
};

template <typename K, typename V>
class TestInputTopic {
 public:
  TestInputTopic(TopologyTestDriver& driver, std::string topic, Timestamp start,
                 std::chrono::milliseconds advance)
      : driver_(driver), topic_(std::move(topic)), next_(start), advance_(advance) {}

  // An error of the topology stops the program; a test that expects one calls send().
  void pipe_input(const TestRecord<K, V>& record) { driver_.expect(send(record)); }

  void pipe_input(std::optional<K> key, std::optional<V> value, Timestamp timestamp) {
    pipe_input(TestRecord<K, V>{std::move(key), std::move(value), timestamp, {}});
  }

  void pipe_input(std::optional<K> key, std::optional<V> value) {
    const Timestamp timestamp = next_;
    next_ += advance_.count();
    pipe_input(std::move(key), std::move(value), timestamp);
  }

  [[nodiscard]] Status send(const TestRecord<K, V>& record) {
    engine::DrivenRecord bytes;
    bytes.key = encode(record.key);
    bytes.value = encode(record.value);
    bytes.timestamp = record.timestamp;
    bytes.partition = driver_.partition_for(
        bytes.key.has_value() ? std::optional(as_bytes(*bytes.key)) : std::nullopt);
    for (const dsl::Header& header : record.headers) {
      bytes.headers.push_back({header.key, header.value.has_value()
                                               ? std::optional(std::string(as_text(*header.value)))
                                               : std::nullopt});
    }
    return driver_.pipe(topic_, bytes);
  }

 private:
  template <typename T>
  [[nodiscard]] static std::optional<std::string> encode(const std::optional<T>& value) {
    if (!value.has_value()) {
      return std::nullopt;
    }
    Bytes bytes;
    dsl::Serde<T>::encode(*value, bytes);
    return std::string(as_text(bytes));
  }

  TopologyTestDriver& driver_;
  std::string topic_;
  Timestamp next_;
  std::chrono::milliseconds advance_;
};

template <typename K, typename V>
class TestOutputTopic {
 public:
  using Record = TestRecord<K, V>;

  TestOutputTopic(TopologyTestDriver& driver, std::string topic)
      : driver_(driver), topic_(std::move(topic)) {}

  [[nodiscard]] bool is_empty() { return driver_.produced(topic_).size() == next_; }

  // The next record; nothing if there is none.
  [[nodiscard]] std::optional<Record> read_record() {
    return is_empty() ? std::nullopt : std::optional(decode(driver_.produced(topic_)[next_++]));
  }

  // All that were not read yet.
  [[nodiscard]] std::vector<Record> read_records() {
    std::vector<Record> records;
    while (!is_empty()) {
      records.push_back(*read_record());
    }
    return records;
  }

  [[nodiscard]] std::vector<std::pair<std::optional<K>, std::optional<V>>> read_key_values() {
    std::vector<std::pair<std::optional<K>, std::optional<V>>> pairs;
    for (Record& record : read_records()) {
      pairs.emplace_back(std::move(record.key), std::move(record.value));
    }
    return pairs;
  }

  // The last value of each key.
  [[nodiscard]] std::map<K, V> read_key_values_to_map() {
    std::map<K, V> values;
    for (const Record& record : read_records()) {
      if (record.value.has_value()) {
        values.insert_or_assign(*record.key, *record.value);
      } else {
        values.erase(*record.key);
      }
    }
    return values;
  }

 private:
  template <typename T>
  [[nodiscard]] static std::optional<T> decode(const std::optional<std::string>& bytes) {
    if (!bytes.has_value()) {
      return std::nullopt;
    }
    std::optional<T> value = dsl::Serde<T>::decode(as_bytes(*bytes));
    PENSTOCK_CHECK(value.has_value());
    return value;
  }

  [[nodiscard]] static Record decode(const engine::DrivenRecord& bytes) {
    Record record{decode<K>(bytes.key), decode<V>(bytes.value), bytes.timestamp, {}};
    for (const engine::DrivenHeader& header : bytes.headers) {
      record.headers.push_back({header.key, header.value.has_value()
                                                ? std::optional(to_bytes(*header.value))
                                                : std::nullopt});
    }
    return record;
  }

  TopologyTestDriver& driver_;
  std::string topic_;
  std::size_t next_ = 0;
};

}  // namespace penstock::testdriver
