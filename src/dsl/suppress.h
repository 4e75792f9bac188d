// Suppress: holds the changes of a table back, and hands on the last of each key.
//
//   counts.suppress(Suppressed::until_window_closes("final-counts"))
//   totals.suppress(Suppressed::until_time_limit("slow-totals", 1min,
//   BufferConfig::max_records(1000)))
//
// Until windows close: one final result per window, when stream time passes its end plus grace.
// Until a time limit: of all changes of a key within that much stream time, the last. A key keeps
// its place in the queue when it changes again. A buffer that is full hands on its oldest early, or
// stops the topology (KIP-328). Stream time is that of the changes that this step has seen.
//
// The buffer is a store, `<name>-store`: int64 time | key -> what waits.
//
// Threads   one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "dsl/buffer_entry.h"
#include "dsl/table_info.h"
#include "dsl/typed_stores.h"
#include "dsl/waiting_key.h"

namespace penstock::dsl {

class BufferConfig {
 public:
  enum class WhenFull : std::uint8_t { kEmitEarly, kShutDown };

  [[nodiscard]] static BufferConfig unbounded() { return {}; }

  // Hands on early what does not fit, unless told to shut down.
  [[nodiscard]] static BufferConfig max_records(std::uint64_t count) {
    BufferConfig config;
    config.records_max_ = count;
    return config;
  }

  [[nodiscard]] static BufferConfig max_bytes(std::uint64_t bytes) {
    BufferConfig config;
    config.bytes_max_ = bytes;
    return config;
  }

  [[nodiscard]] BufferConfig with_max_records(std::uint64_t count) const {
    BufferConfig config = *this;
    config.records_max_ = count;
    return config;
  }

  [[nodiscard]] BufferConfig with_max_bytes(std::uint64_t bytes) const {
    BufferConfig config = *this;
    config.bytes_max_ = bytes;
    return config;
  }

  [[nodiscard]] BufferConfig shut_down_when_full() const {
    BufferConfig config = *this;
    config.when_full_ = WhenFull::kShutDown;
    return config;
  }

  [[nodiscard]] bool is_exceeded(std::uint64_t records, std::uint64_t bytes) const {
    return records > records_max_ || bytes > bytes_max_;
  }

  [[nodiscard]] WhenFull when_full() const { return when_full_; }

 private:
  std::uint64_t records_max_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t bytes_max_ = std::numeric_limits<std::uint64_t>::max();
  WhenFull when_full_ = WhenFull::kEmitEarly;
};

class Suppressed {
 public:
  // Of tables of windowed keys only. A bounded buffer must be told to shut down when it is full:
  // handing on early would not be final.
  [[nodiscard]] static Suppressed until_window_closes(
      std::string name, const BufferConfig& config = BufferConfig::unbounded()) {
    PENSTOCK_CHECK(config.when_full() == BufferConfig::WhenFull::kShutDown ||
                   !config.is_exceeded(std::numeric_limits<std::uint64_t>::max(),
                                       std::numeric_limits<std::uint64_t>::max()));
    return Suppressed(std::move(name), std::nullopt, config);
  }

  [[nodiscard]] static Suppressed until_time_limit(std::string name, Duration wait,
                                                   const BufferConfig& config) {
    return Suppressed(std::move(name), wait, config);
  }

  [[nodiscard]] const std::string& name() const { return name_; }

  // Absent: until windows close.
  [[nodiscard]] const std::optional<Duration>& wait() const { return wait_; }

  [[nodiscard]] const BufferConfig& config() const { return config_; }

 private:
  Suppressed(std::string name, std::optional<Duration> wait, const BufferConfig& config)
      : name_(std::move(name)), wait_(wait), config_(config) {
    PENSTOCK_CHECK(!name_.empty());
  }

  std::string name_;
  std::optional<Duration> wait_;
  BufferConfig config_;
};

// Which keys wait in a buffer, and since when; of a task.
struct SuppressIndex final : Node {
  std::map<std::string, std::int64_t, std::less<>> times;
};

// Reads a table behind a buffer: what waits is not seen yet.
template <typename K, typename V>
class SuppressGetter final : public ValueGetter<K, V> {
 public:
  SuppressGetter(TaskRuntime& runtime, const std::string& store,
                 std::unique_ptr<ValueGetter<K, V>> parent)
      : buffer_(runtime.store<store::KeyValueBytes>(store)),
        index_(runtime.shared<SuppressIndex>(store)),
        parent_(std::move(parent)) {}

  [[nodiscard]] std::optional<ValueAndTimestamp<V>> get(const K& key) override {
    const std::string text = encode_waiting_key(key);
    const auto waiting = index_.times.find(text);
    if (waiting == index_.times.end()) {
      return parent_->get(key);
    }
    const auto entry = buffer_.get({waiting->second, text});
    PENSTOCK_CHECK(entry.has_value());
    if (!entry->value.prior_value.has_value()) {
      return std::nullopt;
    }
    return ValueAndTimestamp<V>{internal::decode_own<V>(*entry->value.prior_value), Timestamp(-1)};
  }

 private:
  KeyValueStore<BufferKey, BufferEntry> buffer_;
  SuppressIndex& index_;
  std::unique_ptr<ValueGetter<K, V>> parent_;
};

template <typename K, typename V>
class SuppressNode final : public Node,
                           public Receiver<K, Change<V>>,
                           public Publisher<K, Change<V>> {
 public:
  struct Options {
    std::string name;
    std::string store;
    Duration wait{0};
    bool until_window_closes = false;
    BufferConfig config;
  };

  SuppressNode(TaskRuntime& runtime, Options options)
      : runtime_(runtime),
        options_(std::move(options)),
        buffer_(runtime.store<store::KeyValueBytes>(options_.store)),
        index_(runtime.shared<SuppressIndex>(options_.store).times) {}

  void receive(const Record<K, Change<V>>& record) override {
    Timestamp& observed = buffer_.times().observed;
    observed = std::max(observed, record.timestamp);
    put(record);
    const std::int64_t expiry = observed.value() - options_.wait.count();
    while (!queue_.empty() && queue_.begin()->first.first <= expiry) {
      emit_oldest();
    }
    if (!is_full()) {
      return;
    }
    if (options_.config.when_full() == BufferConfig::WhenFull::kShutDown) {
      runtime_.fail(Error(ErrorCode::kInvalid, "the buffer of \"" + options_.name + "\" is full: " +
                                                   std::to_string(queue_.size()) + " records, " +
                                                   std::to_string(size_bytes_) + " bytes"));
      return;
    }
    while (is_full()) {
      emit_oldest();
    }
  }

  void restored() override { read_buffer(); }

  void committed() override { touched_ = false; }

  void aborted() override {
    if (std::exchange(touched_, false)) {
      read_buffer();
    }
  }

 private:
  // By time, then key bytes.
  using Position = std::pair<std::int64_t, std::string>;

  [[nodiscard]] bool is_full() const {
    return options_.config.is_exceeded(queue_.size(), size_bytes_);
  }

  [[nodiscard]] std::int64_t time_of(const Record<K, Change<V>>& record) const {
    if constexpr (WindowedKey<K>) {
      if (options_.until_window_closes) {
        return record.key->window.end.value();
      }
    }
    return record.timestamp.value();
  }

  void put(const Record<K, Change<V>>& record) {
    touched_ = true;
    const std::string key = encode_waiting_key(*record.key);
    const auto [index, is_new] = index_.try_emplace(key, time_of(record));
    const Position position{index->second, key};
    BufferEntry entry = make_entry(record);
    if (!is_new) {
      entry.prior_value = load(position).prior_value;
    }
    const std::uint64_t size = entry.accounted_bytes(key.size() - kWaitingKeyExtra<K>);
    size_bytes_ += size - std::exchange(queue_[position], size);
    save(position, entry);
  }

  [[nodiscard]] BufferEntry make_entry(const Record<K, Change<V>>& record) {
    const auto encode = [](const V* value) -> std::optional<Bytes> {
      if (value == nullptr) {
        return std::nullopt;
      }
      Bytes bytes;
      Serde<V>::encode(*value, bytes);
      return bytes;
    };
    BufferEntry entry;
    entry.timestamp = record.timestamp;
    entry.topic = runtime_.metadata().topic;
    entry.prior_value = encode(record.value->old_value);
    entry.old_value = entry.prior_value;
    entry.new_value = encode(record.value->new_value);
    if (record.headers != nullptr) {
      entry.headers = *record.headers;
    }
    return entry;
  }

  void emit_oldest() {
    const Position position = queue_.begin()->first;
    const BufferEntry entry = load(position);
    const std::optional<V> now = decode(entry.new_value);
    const std::optional<V> old = decode(entry.old_value);
    if (now.has_value() || !options_.until_window_closes) {
      const K key = decode_waiting_key<K>(position.second);
      const Change<V> change{to_pointer(now), to_pointer(old)};
      this->publish(
          {&key, &change, entry.timestamp, entry.headers.empty() ? nullptr : &entry.headers});
    }
    size_bytes_ -= queue_.begin()->second;
    buffer_.erase({position.first, position.second}, entry.timestamp);
    index_.erase(position.second);
    queue_.erase(position);
  }

  [[nodiscard]] static std::optional<V> decode(const std::optional<Bytes>& bytes) {
    return bytes.has_value() ? std::optional(internal::decode_own<V>(*bytes)) : std::nullopt;
  }

  [[nodiscard]] BufferEntry load(const Position& position) const {
    auto stored = buffer_.get({position.first, position.second});
    PENSTOCK_CHECK(stored.has_value());
    return std::move(stored->value);
  }

  void save(const Position& position, const BufferEntry& entry) {
    buffer_.put({position.first, position.second}, entry, entry.timestamp);
  }

  void read_buffer() {
    queue_.clear();
    index_.clear();
    size_bytes_ = 0;
    for (const auto& [key, stored] : buffer_.all()) {
      const std::uint64_t size = stored.value.accounted_bytes(key.key.size() - kWaitingKeyExtra<K>);
      queue_[{key.time, key.key}] = size;
      index_[key.key] = key.time;
      size_bytes_ += size;
    }
  }

  TaskRuntime& runtime_;
  const Options options_;
  KeyValueStore<BufferKey, BufferEntry> buffer_;
  std::map<Position, std::uint64_t> queue_;                  // and how many bytes each counts
  std::map<std::string, std::int64_t, std::less<>>& index_;  // the time of each key
  std::uint64_t size_bytes_ = 0;
  bool touched_ = false;  // since the last commit
};

}  // namespace penstock::dsl
