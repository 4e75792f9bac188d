// Writer turns requests into groups on the disk: plan, write and sync, publish, answer.
//
//            plan                 write                publish            answer
//   inbox ----------> a group ----------> on the disk ----------> readers ------> callers
//          offsets       copy, checksum    one write     catalog          completions
//          are given                       and sync
//
// Planning and publishing hold the log's lock, writing does not: meanwhile the next requests
// arrive. When a segment is full the next one begins, on a spare file, with a snapshot of the
// catalog.
//
// Invariants
//   I1  A group is written only after the one before it is on the disk.
//   I2  After a failed write or sync nothing is written any more.
//   I3  A group that failed for lack of space can never become valid: its header is wiped.
//   I4  A segment has its final name only when its header and snapshot are on the disk; nothing is
//       written to it before the name is.
//
// Threads   one at a time; EmbeddedLog guards it.
// Lifetime  `shared` and `spares` outlive it.
// Errors    kFatal  after a failure; every request that waits is answered so
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "os/clock.h"
#include "wal/append_file.h"
#include "wal/proof.h"
#include "wal/spares.h"
#include "wal/state.h"

namespace penstock::wal {

// Where the log ends.
struct LogEnd {
  SegmentNumber segment;
  Uuid uuid{};
  std::uint64_t segment_bytes = 0;
  std::uint64_t position = 0;  // of the next group
  std::uint64_t sequence = 0;  // of the last group
  std::uint32_t crc = 0;       // of its header
  std::uint32_t epoch = 0;
  std::int64_t written_ms = 0;
};

class Writer {
 public:
  // `end` is the end of a log that has a segment; see start_segment() for the first one.
  Writer(Shared& shared, SpareSegments& spares, const LogEnd& end, ProofFile proof,
         AppendFile file);

  // Writes the first segment of a log, or the next one: header and snapshot; `end` then is behind
  // them. Nothing of it is valid before it is there whole.
  [[nodiscard]] static Result<AppendFile> start_segment(Shared& shared, SpareSegments& spares,
                                                        LogEnd& end);

  // Takes all requests that wait and answers them. Returns how many.
  [[nodiscard]] Result<std::size_t> run_once(os::TimePoint now);

  // An empty group: it takes the place of whatever was torn, and proves what lies before it.
  [[nodiscard]] Status write_empty_group();
  // Notes the last group as synced.
  [[nodiscard]] Status prove();
  // Answers everything that waits with `error`.
  void refuse_all(const Error& error);

 private:
  struct Placed {
    Partition* partition;
    TopicPartition to;
    RewriteId rewrite;
    std::int64_t written_ms;  // of what is moved
    IndexEntry entry;         // its position is set when the group is built
  };

  struct Plan {
    std::vector<Request> requests;
    std::vector<Placed> placed;  // all batches of the requests, in their order
    EntryList entries;           // what is no batch
    std::size_t payload_size = 0;
    bool uses_reserve = false;
    bool starts_segment = false;
  };

  using Refused = std::vector<std::pair<Request, Error>>;

  void receive();
  [[nodiscard]] Status write_next_group(os::TimePoint now);
  [[nodiscard]] Status write_plan();
  void plan_group(State& state, Refused& refused);
  [[nodiscard]] bool fits_in_plan(const Request& request) const;
  [[nodiscard]] Status admit(const State& state, const Request& request) const;
  [[nodiscard]] Status place(State& state, const Request& request);
  void put_offsets(const Request& request);
  void take_back_offsets();

  [[nodiscard]] Status make_room(std::uint64_t size_on_disk);
  [[nodiscard]] Status roll();
  [[nodiscard]] Status note_synced();
  [[nodiscard]] GroupHeader build_group();
  [[nodiscard]] Status write_group(const GroupHeader& header);
  void publish(const GroupHeader& header);
  std::size_t answer_plan();

  void refuse_for_space(const Error& error, os::TimePoint now);
  void look_for_space(os::TimePoint now);
  [[nodiscard]] Error fail(const Error& error);
  [[nodiscard]] std::byte* group_memory(std::uint64_t size_on_disk);

  Shared& shared_;
  SpareSegments& spares_;
  LogEnd end_;
  std::uint32_t seed_;
  ProofFile proof_;
  AppendFile file_;
  Ref<ChunkPool> pool_;
  Ref<Chunk> chunk_;
  bool chunk_is_new_ = false;

  std::vector<Request> received_;
  std::deque<Request> inbox_;
  Plan plan_;
  std::vector<Ref<Reader>> to_raise_;
  std::size_t answered_ = 0;

  std::uint64_t proven_sequence_ = 0;
  os::TimePoint last_write_{};
  bool has_space_ = true;
  os::TimePoint retry_space_at_{};
};

}  // namespace penstock::wal
