// TopicSource and TopicSink: where records become typed, and where they become bytes again.
//
// Threads   one.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "dsl/call.h"
#include "dsl/graph.h"
#include "dsl/options.h"
#include "dsl/serde.h"

namespace penstock::dsl {

// What a source does beside decoding.
class SourceBase : public Node, public SourceNode {
 public:
  void process(const topology::RecordSpan& records) final;

 protected:
  SourceBase(TaskRuntime& runtime, const std::string& step, Consumed options)
      : runtime_(runtime), step_(step), options_(std::move(options)) {}

  virtual void process_one(ByteView key, ByteView value, Timestamp timestamp,
                           const Headers* headers) = 0;

  void reject(std::string_view what);

  TaskRuntime& runtime_;

 private:
  const std::string step_;
  const Consumed options_;
};

template <Serializable K, Serializable V>
class TopicSource final : public SourceBase, public Publisher<K, V> {
 public:
  TopicSource(TaskRuntime& runtime, const std::string& step, const Consumed& options)
      : SourceBase(runtime, step, options) {}

 private:
  void process_one(ByteView key_bytes, ByteView value_bytes, Timestamp timestamp,
                   const Headers* headers) override {
    std::optional<K> key;
    std::optional<V> value;
    if (!topology::is_null(key_bytes)) {
      key = Serde<K>::decode(key_bytes);
      if (!key.has_value()) {
        return reject("key");
      }
    }
    if (!topology::is_null(value_bytes)) {
      value = Serde<V>::decode(value_bytes);
      if (!value.has_value()) {
        return reject("value");
      }
    }
    this->publish({to_pointer(key), to_pointer(value), timestamp, headers});
  }
};

// The outputs of a sink and how to write to them.
class SinkBase {
 protected:
  SinkBase(TaskRuntime& runtime, const std::string& step, const std::vector<std::string>& topics);

  struct KeyBytes {
    std::optional<ByteView> whole;
    // What the partition is chosen by, if it is not the whole key: a windowed key goes where its
    // key goes, as Kafka Streams' WindowedStreamPartitioner has it.
    std::optional<ByteView> partitioned;
    std::optional<PartitionId> partition;  // where the step knows itself
  };

  void append(std::size_t topic, const KeyBytes& key, std::optional<ByteView> value,
              Timestamp timestamp, const Headers* headers);

  // The number of a topic that a program chose; nothing, and an error of production, if it was not
  // declared.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view topic);

  TaskRuntime& runtime_;
  Bytes key_;
  Bytes value_;
  Bytes partition_key_;

 private:
  const std::string step_;
  const std::vector<std::string> topics_;
  std::vector<topology::Output*> outputs_;
  std::vector<HeaderView> headers_;
};

template <typename T>
struct PartitionKey {
  static constexpr bool kIsWhole = true;
};

template <typename K>
struct PartitionKey<Windowed<K>> {
  static constexpr bool kIsWhole = false;
};

template <typename K>
struct PartitionKey<SessionWindowed<K>> {
  static constexpr bool kIsWhole = false;
};

template <Serializable K, Serializable V, typename ChooseTopic>
class TopicSink final : public Node, public Receiver<K, V>, private SinkBase {
 public:
  TopicSink(TaskRuntime& runtime, const std::string& step, const std::vector<std::string>& topics,
            ChooseTopic choose)
      : SinkBase(runtime, step, topics), choose_(std::move(choose)) {}

  void receive(const Record<K, V>& record) override {
    const std::optional<std::size_t> topic = choose(record);
    if (!topic.has_value()) {
      return;
    }
    KeyBytes key;
    if (record.key != nullptr) {
      encode_key(*record.key, key);
    }
    std::optional<ByteView> value;
    if (record.value != nullptr) {
      value_.clear();
      Serde<V>::encode(*record.value, value_);
      value = ByteView(value_);
    }
    append(*topic, key, value, record.timestamp, record.headers);
  }

 private:
  void encode_key(const K& key, KeyBytes& bytes) {
    key_.clear();
    Serde<K>::encode(key, key_);
    bytes.whole = ByteView(key_);
    if constexpr (!PartitionKey<K>::kIsWhole) {
      partition_key_.clear();
      Serde<decltype(key.key)>::encode(key.key, partition_key_);
      bytes.partitioned = ByteView(partition_key_);
    }
  }

  [[nodiscard]] std::optional<std::size_t> choose(const Record<K, V>& record) {
    if constexpr (std::is_same_v<ChooseTopic, std::nullptr_t>) {
      return 0;
    } else {
      using Call = KeyValueCall<ChooseTopic, K, V>;
      if (!Call::takes(record.key, record.value)) {
        runtime_.drop();
        return std::nullopt;
      }
      return find(Call::call(choose_, record.key, record.value));
    }
  }

  ChooseTopic choose_;
};

}  // namespace penstock::dsl
