// Destination is the outer side of a sink: a database or store that keeps the sink's position with
// the data, so that both change together or not at all. SinkRunner does everything else.
//
//   open -> prepare, write* -> prepare, write* -> ...      an error of write: open again
//
// Contract
//   D1  write() stores the records and the position of each partition in one transaction, or
//       neither of them.
//   D2  A position moves only from where it was said to be: write() compares and swaps it. So a
//       write whose answer was lost cannot be done twice.
//   D3  After another process has opened the same sink, every write() of this one is kFenced, and
//       so is its open(): who was displaced does not come back by itself.
//   D4  open() answers the stored positions as they are after everything that this sink has ever
//       sent has been decided.
//
// Errors    of open(), write() and check():
//           kRetry    anything that may pass, the destination's being away first of all; of
//                     write(): whether it was done is not known, open() finds out
//           kInvalid  of write() alone: the destination refuses one of the records, which was not
//                     done. What else was done is not done again when it is given again; the
//                     connection is as good as before
//           kFenced   D3
// Threads   one; interrupt() from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/record_batch.h"
#include "record/types.h"

namespace penstock::sinks {

struct SinkRecord {
  PartitionId partition;
  RecordView record;
};

// Offsets have gaps, so a position is never the last offset + 1 by itself.
struct SinkMove {
  PartitionId partition;
  Offset from;
  Offset to;

  friend bool operator==(const SinkMove&, const SinkMove&) = default;
};

// A record that cannot be written whatever state the destination is in.
struct Refusal {
  std::size_t index;  // among the records given to prepare()
  std::string message;
};

enum class Fate : std::uint8_t {
  kWrite,
  kSkip,  // a dead letter
};

// Of the records given to prepare(): those from `begin` up to `end` whose fate is kWrite.
struct SinkPiece {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::span<const SinkRecord> records;  // as given to prepare()
  std::span<const Fate> fates;          // of all of them, by index
  std::span<const SinkMove> moves;
};

class Destination {
 public:
  virtual ~Destination() = default;

  // Connects, checks what is there, takes the sink over, and answers where each partition of its
  // topic goes on: a new one at 0.
  [[nodiscard]] virtual Result<std::vector<Offset>> open(std::int32_t partition_count) = 0;

  // Takes the records apart, without asking anybody. They are valid until the next prepare().
  [[nodiscard]] virtual std::vector<Refusal> prepare(std::span<const SinkRecord> records) = 0;

  [[nodiscard]] virtual Status write(const SinkPiece& piece) = 0;

  // Whether the destination is as the last write left it: asked now and then while there is nothing
  // to write, so that one that can lose data by itself is healed without waiting for an event.
  [[nodiscard]] virtual Status check() { return {}; }

  // Ends what waits for the destination, soon: the process stops.
  virtual void interrupt() = 0;
};

}  // namespace penstock::sinks
