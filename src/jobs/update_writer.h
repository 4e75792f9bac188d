// UpdateWriter puts out the changed aggregates of a store as JSON, at most once per interval each.
//
//   key    ["GET",200,"2026-01-01T00:00:00.000Z"]                 (group, start of the window)
//   value  {"key":["GET",200],"window_start":"...","window_end":"...","count":12,"sum":{"/b":3}}
//
// A change is written when it is `interval` old, or soon after its window has closed, whichever
// comes first; the record has the latest value, so a later record of a key replaces an earlier
// one. After a restart some updates may be written again, with the same or newer values: as with
// Kafka Streams' tables, each is the whole truth about its key, not a difference.
//
// Threads   one.
// Lifetime  context, store and output outlive it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/text_buffer.h"
#include "store/window_store.h"
#include "topology/processor.h"

namespace penstock::jobs {

class UpdateWriter {
 public:
  UpdateWriter(topology::ProcessorContext& context, store::WindowStore& store,
               topology::Output& output, std::chrono::milliseconds interval);

  // Writes what is due; before each commit.
  void write_due();

  [[nodiscard]] bool is_idle() const { return !store_.oldest_change().has_value(); }

 private:
  // An aggregate in the value: what stands before its number.
  struct Aggregate {
    std::string before;
    std::size_t column;
  };

  [[nodiscard]] topology::TimePoint due_until() const;
  void write(const store::WindowStore::Changed& changed);
  void plan_aggregates();
  void put_aggregates(const std::uint64_t* cells);
  void set_window(Timestamp start);

  topology::ProcessorContext& context_;
  store::WindowStore& store_;
  topology::Output& output_;
  const std::chrono::milliseconds interval_;
  std::vector<store::WindowStore::Changed> due_;
  TextBuffer key_;
  TextBuffer value_;
  std::vector<Aggregate> aggregates_;
  std::string after_aggregates_;
  std::size_t aggregates_size_max_ = 0;
  std::size_t update_size_max_ = 0;  // of all so far
  // Of the window written last:
  Timestamp window_start_ = store::kNoStreamTime;
  Timestamp last_moment_;
  std::string start_text_;
  std::string window_text_;
};

}  // namespace penstock::jobs
