// The Processor API: steps of one's own, typed, with state stores, punctuations and headers.
//
//   class Deduplicate final : public Processor<std::string, Event, std::string, Event> {
//    public:
//     void init(Context& context) override {
//       context_ = &context;
//       seen_.emplace(context.key_value_store<std::string, std::int64_t>("seen"));
//     }
//     void process(const Record<std::string, Event>& record) override { ...
//     context_->forward(record); }
//    ...
//   };
//   stream.process([] { return std::make_unique<Deduplicate>(); }, {"seen"});
//
// State outside of stores is lost when a task moves, and not taken back when a transaction is:
// keep it in stores.
//
// Threads   one per task: that of the task.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/unique_function.h"
#include "dsl/record.h"
#include "dsl/runtime.h"
#include "dsl/typed_stores.h"

namespace penstock::dsl {

enum class PunctuationType : std::uint8_t {
  kStreamTime,     // advances with the records
  kWallClockTime,  // the clock on the wall
};

// What every processor may ask for.
class ProcessorContextBase {
 public:
  virtual ~ProcessorContextBase() = default;

  // A store that the step was connected to.
  template <typename K, typename V>
  [[nodiscard]] KeyValueStore<K, V> key_value_store(std::string_view name) {
    return KeyValueStore<K, V>(runtime().template store<store::KeyValueBytes>(name));
  }

  template <typename K, typename V>
  [[nodiscard]] VersionedStore<K, V> versioned_store(std::string_view name) {
    return VersionedStore<K, V>(runtime().template store<store::VersionedBytes>(name));
  }

  template <typename K, typename V>
  [[nodiscard]] WindowStore<K, V> window_store(std::string_view name) {
    return WindowStore<K, V>(runtime().template store<store::WindowBytes>(name));
  }

  template <typename K, typename V>
  [[nodiscard]] SessionStore<K, V> session_store(std::string_view name) {
    return SessionStore<K, V>(runtime().template store<store::SessionBytes>(name));
  }

  // Calls `punctuate` with the time of that kind, about every `interval`.
  void schedule(PunctuationType type, std::chrono::milliseconds interval,
                UniqueFunction<void(Timestamp)> punctuate);

  // Where the record that is being processed came from; empty in punctuations.
  [[nodiscard]] const RecordMetadata& record_metadata() { return runtime().metadata(); }

  [[nodiscard]] Timestamp current_stream_time() { return runtime().stream_time(); }

  [[nodiscard]] Timestamp current_system_time() { return Timestamp(runtime().wall_now_ms()); }

  [[nodiscard]] topology::TaskId task_id() { return runtime().context().task(); }

  // Asks for a commit soon.
  void commit() { runtime().context().request_commit(); }

  // The record cannot be processed: what then happens the topology's handler of processing errors
  // says (errors.h). What was forwarded before stays.
  void reject(const Error& error) { runtime().reject(ErrorKind::kProcessing, step(), error); }

  // Stops the topology with this error: for what no record should survive.
  void fail(Error error) { runtime().fail(std::move(error)); }

  // Counts a record that cannot be used.
  void drop() { runtime().drop(); }

 private:
  [[nodiscard]] virtual TaskRuntime& runtime() = 0;
  [[nodiscard]] virtual const std::string& step() const = 0;
};

template <typename K, typename V>
class ProcessorContext : public ProcessorContextBase {
 public:
  // To all steps behind this one.
  virtual void forward(const Record<K, V>& record) = 0;

  // To the one of that name, such as `to(topic, {.name = ...})` gives. There being none is an error
  // that stops the topology.
  virtual void forward(const Record<K, V>& record, std::string_view step) = 0;

  void forward(const K& key, const V& value, Timestamp timestamp) {
    forward({&key, &value, timestamp, nullptr});
  }
};

template <typename KIn, typename VIn, typename KOut, typename VOut>
class Processor {
 public:
  using KeyIn = KIn;
  using ValueIn = VIn;
  using KeyOut = KOut;
  using ValueOut = VOut;
  using Context = ProcessorContext<KOut, VOut>;

  virtual ~Processor() = default;

  // Before the first record. The context outlives the processor.
  virtual void init(Context& /*context*/) {}

  virtual void process(const Record<KIn, VIn>& record) = 0;
};

// Its key is that of the record that is being processed.
template <typename K, typename V>
class FixedKeyContext : public ProcessorContextBase {
 public:
  virtual void forward(const V* value, Timestamp timestamp, const Headers* headers) = 0;

  virtual void forward(const V* value, Timestamp timestamp, const Headers* headers,
                       std::string_view step) = 0;

  void forward(const V& value, Timestamp timestamp) { forward(&value, timestamp, nullptr); }
};

template <typename K, typename VIn, typename VOut>
class FixedKeyProcessor {
 public:
  using KeyIn = K;
  using ValueIn = VIn;
  using KeyOut = K;
  using ValueOut = VOut;
  using Context = FixedKeyContext<K, VOut>;

  virtual ~FixedKeyProcessor() = default;

  virtual void init(Context& /*context*/) {}

  virtual void process(const Record<K, VIn>& record) = 0;
};

}  // namespace penstock::dsl
