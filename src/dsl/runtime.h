// Node, Receiver, Publisher and TaskRuntime: what the steps of a topology are while it runs.
//
// All steps of a sub-topology that hand each other typed records live in one engine processor
// (GraphProcessor), one set of nodes per task. A node receives records of one type and publishes
// some of another; one virtual call hands a record on. Records go depth first: a node's call
// returns when everything behind it is done, so that all branches see them in the order in which
// Kafka Streams would show them.
//
// Threads   one: that of the task.
// Errors    a node that cannot go on calls TaskRuntime::fail(); the record that led there is the
//           last one processed, and the error stops the stream thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/result.h"
#include "core/unique_function.h"
#include "dsl/error_sink.h"
#include "dsl/record.h"
#include "topology/processor.h"

namespace penstock::dsl {

using StepId = std::size_t;

class Node {
 public:
  virtual ~Node() = default;

  // Before the first record: the stores hold what was committed. They are empty before.
  virtual void restored() {}

  // Everything processed is about to be committed.
  virtual void before_commit() {}

  virtual void committed() {}

  virtual void aborted() {}

  // About what before_commit() would hand on now.
  [[nodiscard]] virtual std::size_t pending_bytes() const { return 0; }
};

template <typename K, typename V>
class Receiver {
 public:
  virtual ~Receiver() = default;

  virtual void receive(const Record<K, V>& record) = 0;
};

template <typename K, typename V>
class Publisher {
 public:
  virtual ~Publisher() = default;

  void add_child(Receiver<K, V>& child) { children_.push_back(&child); }

 protected:
  void publish(const Record<K, V>& record) {
    for (Receiver<K, V>* child : children_) {
      child->receive(record);
    }
  }

  // To one of them, by its place among the children.
  void publish_to(std::size_t child, const Record<K, V>& record) {
    children_[child]->receive(record);
  }

  [[nodiscard]] std::size_t child_count() const { return children_.size(); }

 private:
  std::vector<Receiver<K, V>*> children_;
};

// A node that begins what ends later: see topology::Processor::room() and what follows it.
class AsyncPart {
 public:
  virtual ~AsyncPart() = default;

  [[nodiscard]] virtual std::size_t room() const = 0;
  // True if there was something to do.
  [[nodiscard]] virtual bool advance() = 0;
  [[nodiscard]] virtual bool may_commit() const = 0;
  [[nodiscard]] virtual std::optional<topology::TimePoint> next_advance() const = 0;
};

// Makes records of what the engine delivers.
class SourceNode {
 public:
  virtual ~SourceNode() = default;

  virtual void process(const topology::RecordSpan& records) = 0;
};

class TaskRuntime {
 public:
  // `dead_letters`: see ErrorSink.
  TaskRuntime(topology::ProcessorContext& context, const ErrorHandlers& handlers,
              topology::Output* dead_letters)
      : context_(context), errors_(context, handlers, dead_letters) {}

  TaskRuntime(const TaskRuntime&) = delete;
  TaskRuntime& operator=(const TaskRuntime&) = delete;

  [[nodiscard]] topology::ProcessorContext& context() { return context_; }

  // The node of a step, as what it publishes.
  template <typename K, typename V>
  [[nodiscard]] Publisher<K, V>& publisher(StepId step) {
    auto* publisher = dynamic_cast<Publisher<K, V>*>(nodes_.at(step));
    PENSTOCK_CHECK(publisher != nullptr);
    return *publisher;
  }

  void add_node(StepId step, std::unique_ptr<Node> node) {
    nodes_[step] = node.get();
    owned_.push_back(std::move(node));
  }

  void add_source(const std::vector<std::string>& topics, SourceNode& source);
  // Processes what the engine delivers.
  [[nodiscard]] Status process(const topology::RecordSpan& records);

  void add_async(AsyncPart& part) { async_parts_.push_back(&part); }

  [[nodiscard]] std::size_t room() const;
  [[nodiscard]] Result<bool> advance();
  [[nodiscard]] bool may_commit() const;
  [[nodiscard]] std::optional<topology::TimePoint> next_advance() const;

  void restored();
  void before_commit();
  void committed();
  void aborted();
  [[nodiscard]] std::size_t pending_bytes() const;

  // A store of the sub-topology, as what it is: KeyValueBytes, VersionedBytes, WindowBytes,
  // SessionBytes.
  template <typename Store>
  [[nodiscard]] Store& store(std::string_view name) {
    Store* const store = find_store<Store>(name);
    PENSTOCK_CHECK(store != nullptr);
    return *store;
  }

  // The same, or null if it is something else.
  template <typename Store>
  [[nodiscard]] Store* find_store(std::string_view name) {
    return dynamic_cast<Store*>(&context_.state_store(name));
  }

  // One object of this type for the task and this name, made when it is first asked for.
  template <typename T>
  [[nodiscard]] T& shared(const std::string& name);

  // What the record that is being processed came from; empty in punctuations.
  [[nodiscard]] const RecordMetadata& metadata() const { return metadata_; }

  // The record that is processed from now on.
  void begin_record(const topology::RecordSpan& records, std::size_t index) {
    metadata_ = {records.topic, records.from.partition, records.offsets[index]};
    source_ = {&records, index};
  }

  void begin_record(const SourceRecord& record) {
    if (record.records == nullptr) {
      begin_punctuation();
    } else {
      begin_record(*record.records, record.index);
    }
  }

  void begin_punctuation() {
    metadata_ = {};
    source_ = {};
  }

  // The record that is processed now.
  [[nodiscard]] const SourceRecord& source() const { return source_; }

  // The largest timestamp of the task's records so far, this one included.
  [[nodiscard]] Timestamp stream_time() const { return stream_time_; }

  void advance_stream_time(Timestamp to) { stream_time_ = std::max(stream_time_, to); }

  // Calls `punctuate` about every `interval` of stream time, the first time at once. The rhythm
  // begins at 0, so that one scheduled before a restart goes on after it.
  void schedule_stream_time(std::chrono::milliseconds interval,
                            UniqueFunction<void(Timestamp)> punctuate);

  // Runs those that are due: after every record.
  void punctuate() {
    if (!punctuations_.empty()) {
      run_punctuations();
    }
  }

  [[nodiscard]] std::int64_t wall_now_ms() const {
    return context_.wall_now().time_since_epoch().count();
  }

  // No valid record, or not for this step: counted.
  void drop() { ++context_.counts().dropped; }

  // A record whose window is closed.
  void drop_late() { ++context_.counts().late; }

  // Unless a store has kept what was put.
  void count_kept(bool is_kept) { context_.counts().expired += is_kept ? 0 : 1; }

  // The record cannot be dealt with in this step: what then happens is the handlers' business.
  void reject(ErrorKind kind, std::string_view step, const Error& error);

  [[nodiscard]] std::size_t record_bytes_max() const { return errors_.record_bytes_max(); }

  void fail(Error error) {
    if (!failure_.has_value()) {
      failure_ = std::move(error);
    }
  }

  [[nodiscard]] bool has_failed() const { return failure_.has_value(); }

  [[nodiscard]] Status take_failure();

 private:
  struct Punctuation {
    std::int64_t interval;
    UniqueFunction<void(Timestamp)> run;
    std::int64_t next = 0;
    std::int64_t committed_next = 0;
  };

  void run_punctuations();

  topology::ProcessorContext& context_;
  ErrorSink errors_;
  std::map<StepId, Node*> nodes_;
  std::vector<std::unique_ptr<Node>> owned_;  // in the order they were made
  std::map<std::string, SourceNode*, std::less<>> sources_;
  std::vector<AsyncPart*> async_parts_;
  std::map<std::string, std::unique_ptr<Node>> shared_;
  std::vector<Punctuation> punctuations_;
  bool is_restored_ = false;
  RecordMetadata metadata_;
  SourceRecord source_;
  Timestamp stream_time_{-1};
  Timestamp committed_stream_time_{-1};
  std::optional<Error> failure_;
};

template <typename T>
T& TaskRuntime::shared(const std::string& name) {
  std::unique_ptr<Node>& object = shared_[name];
  if (object == nullptr) {
    object = std::make_unique<T>();
  }
  auto* typed = dynamic_cast<T*>(object.get());
  PENSTOCK_CHECK(typed != nullptr);
  return *typed;
}

}  // namespace penstock::dsl
