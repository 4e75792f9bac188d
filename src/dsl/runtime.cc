#include "dsl/runtime.h"

namespace penstock::dsl {

void TaskRuntime::add_source(const std::vector<std::string>& topics, SourceNode& source) {
  for (const std::string& topic : topics) {
    const bool is_new = sources_.try_emplace(topic, &source).second;
    PENSTOCK_CHECK(is_new);  // one source per topic: StreamBuilder
  }
}

Status TaskRuntime::process(const topology::RecordSpan& records) {
  const auto source = sources_.find(records.topic);
  PENSTOCK_CHECK(source != sources_.end());
  source->second->process(records);
  return take_failure();
}

Status TaskRuntime::take_failure() {
  if (!failure_.has_value()) {
    return {};
  }
  return *std::exchange(failure_, std::nullopt);
}

void TaskRuntime::reject(ErrorKind kind, std::string_view step, const Error& error) {
  if (const Status handled = errors_.handle(kind, step, source_, error); !handled) {
    fail(handled.error());
  }
}

void TaskRuntime::schedule_stream_time(std::chrono::milliseconds interval,
                                       UniqueFunction<void(Timestamp)> punctuate) {
  PENSTOCK_CHECK(interval.count() > 0);
  Punctuation punctuation{interval.count(), std::move(punctuate)};
  if (!is_restored_ && stream_time_.value() >= 0) {
    punctuation.next = (stream_time_.value() / interval.count() + 1) * interval.count();
    punctuation.committed_next = punctuation.next;
  }
  punctuations_.push_back(std::move(punctuation));
}

void TaskRuntime::run_punctuations() {
  if (stream_time_.value() < 0) {
    return;
  }
  for (Punctuation& punctuation : punctuations_) {
    const std::int64_t late = stream_time_.value() - punctuation.next;
    if (late >= 0) {
      // Those that were missed are left out, and the rhythm is kept.
      punctuation.next += (late / punctuation.interval + 1) * punctuation.interval;
      begin_punctuation();
      punctuation.run(stream_time_);
    }
  }
}

std::size_t TaskRuntime::room() const {
  std::size_t room = static_cast<std::size_t>(-1);
  for (const AsyncPart* part : async_parts_) {
    room = std::min(room, part->room());
  }
  return room;
}

Result<bool> TaskRuntime::advance() {
  bool worked = false;
  for (AsyncPart* part : async_parts_) {
    worked = part->advance() || worked;
  }
  PENSTOCK_TRY(take_failure());
  return worked;
}

bool TaskRuntime::may_commit() const {
  return std::ranges::all_of(async_parts_,
                             [](const AsyncPart* part) { return part->may_commit(); });
}

std::optional<topology::TimePoint> TaskRuntime::next_advance() const {
  std::optional<topology::TimePoint> next;
  for (const AsyncPart* part : async_parts_) {
    const auto at = part->next_advance();
    if (at.has_value() && (!next.has_value() || *at < *next)) {
      next = at;
    }
  }
  return next;
}

void TaskRuntime::restored() {
  is_restored_ = true;
  committed_stream_time_ = stream_time_;
  for (const auto& node : owned_) {
    node->restored();
  }
}

void TaskRuntime::before_commit() {
  for (const auto& node : owned_) {
    node->before_commit();
  }
}

std::size_t TaskRuntime::pending_bytes() const {
  std::size_t size = 0;
  for (const auto& [name, object] : shared_) {
    size += object->pending_bytes();
  }
  return size;
}

void TaskRuntime::committed() {
  committed_stream_time_ = stream_time_;
  for (Punctuation& punctuation : punctuations_) {
    punctuation.committed_next = punctuation.next;
  }
  for (const auto& node : owned_) {
    node->committed();
  }
  for (const auto& [name, object] : shared_) {
    object->committed();
  }
}

void TaskRuntime::aborted() {
  stream_time_ = committed_stream_time_;
  for (Punctuation& punctuation : punctuations_) {
    punctuation.next = punctuation.committed_next;
  }
  for (const auto& node : owned_) {
    node->aborted();
  }
  for (const auto& [name, object] : shared_) {
    object->aborted();
  }
}

}  // namespace penstock::dsl
