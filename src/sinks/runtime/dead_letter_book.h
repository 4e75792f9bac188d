// DeadLetterBook writes the records that a sink's destination refuses to the dead letter topic,
// each exactly once, although the sink's position is elsewhere.
//
// A dead letter and a note of it go to the log in one transaction. The note is the list of those
// offsets of a partition that are dead letters while the destination's position has not passed them
// yet; it is one record of a compacted topic that all sinks share:
//
//   key    <sink>/<topic>/<partition>
//   value  <offset> <offset> ...      ascending; only those that the position had not passed
//
// So after a crash between the dead letter and the position's move the list says what must not be
// written to the destination any more, nor refused again.
//
// Invariants
//   I1  A record is in contains() from the commit of its dead letter on, until forget_before().
//   I2  The dead letters of a process that was displaced are fenced: opening ends its transactions.
// Threads   one; wait() too. The transaction's answer comes from a thread of the log.
// Lifetime  log, clock and registry outlive it.
// Errors    of open() and settle(): the log's. After an error of settle() open() it again.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/completion.h"
#include "core/counter.h"
#include "core/ref_counted.h"
#include "core/result.h"
#include "core/signal.h"
#include "log/log.h"
#include "os/clock.h"
#include "record/record_batch.h"
#include "telemetry/registry.h"

namespace penstock::sinks {

inline constexpr std::string_view kSinkDeadLettersTopic = "__sink_dead_letters";

class DeadLetterBook {
 public:
  struct Options {
    std::string sink;
    std::string topic;                                   // whose records are refused
    std::optional<std::chrono::milliseconds> retention;  // of the dead letter topic, if it is new
  };

  struct Letter {
    PartitionId partition;
    Offset offset;
    std::optional<ByteView> value;  // copied
    std::string message;
    std::uint32_t replays = 0;  // how often the record's event was a dead letter before
  };

  DeadLetterBook(log::Log& log, const os::Clock& clock, telemetry::Registry& registry,
                 Options options);
  ~DeadLetterBook();
  DeadLetterBook(const DeadLetterBook&) = delete;
  DeadLetterBook& operator=(const DeadLetterBook&) = delete;

  [[nodiscard]] bool is_open() const { return producer_ != nullptr; }

  // Fences who had it before and reads the notes back. Blocks.
  [[nodiscard]] Status open();

  // A dead letter already, whose place the destination's position has not passed.
  [[nodiscard]] bool contains(PartitionId partition, Offset offset) const;
  // The destination's position is durably at `next`.
  void forget_before(PartitionId partition, Offset next);

  // Begins to append these, together. Not while is_pending().
  void append(const std::vector<Letter>& letters);

  [[nodiscard]] bool is_pending() const { return pending_.has_value(); }

  [[nodiscard]] bool is_ready() const { return pending_.has_value() && pending_->done.ready(); }

  // What became of them; is_ready() must be true.
  [[nodiscard]] Status settle();

  // Returns when is_ready(), or when time is up.
  void wait(std::chrono::microseconds timeout) { signal_->wait(timeout); }

 private:
  using Offsets = std::map<PartitionId, std::set<Offset>>;

  struct Pending {
    Completion<void> done;
    Offsets offsets;
    std::uint64_t count;
  };

  [[nodiscard]] Status ensure_topics();
  [[nodiscard]] Status read_note(const RecordView& record);
  [[nodiscard]] Status fill(const std::vector<Letter>& letters, const Offsets& noted);
  [[nodiscard]] RecordBatch encode_letters(const std::vector<Letter>& letters) const;
  [[nodiscard]] RecordBatch encode_notes(const std::vector<Letter>& letters,
                                         const Offsets& noted) const;
  [[nodiscard]] std::string key(PartitionId partition) const;

  log::Log& log_;
  const os::Clock& clock_;
  const Options options_;
  const Ref<Signal> signal_ = make_ref<Signal>();
  // Of the dead letter topic: by them its growth is told from loss, see console/balance.h.
  Counter& begun_;
  Counter& committed_;
  Counter& taken_back_;
  TopicPartition letters_;
  TopicPartition notes_;
  std::unique_ptr<log::TransactionalProducer> producer_;
  Offsets noted_;
  std::optional<Pending> pending_;
};

}  // namespace penstock::sinks
