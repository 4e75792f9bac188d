// Keeper does the slow work of the log beside the writer: index files, retention, compaction,
// spares.
//
// It changes the log as any caller does, by requests to the writer; so a crash in the middle of its
// work leaves entries that have no effect, and nothing else. Space comes back in two steps:
//
//   nothing of a segment is needed      -> retired, by an entry -> its file is reused or deleted
//   little of a segment is needed       -> that is moved to the head of the log -> retired
//
// Little is needed when topics of short retention lie beside topics of long retention, or when
// compaction has replaced what was there.
//
// Invariants
//   I1  A segment file is reused only when no reader holds it and its retirement is on the disk.
//   I2  Nothing is deleted by age while the wall clock cannot be believed.
//
// Threads   one.
// Lifetime  the references outlive it.
// Errors    the first one of a turn; the steps after it are tried in the next turn
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "core/result.h"
#include "os/clock.h"
#include "wal/rewriter.h"
#include "wal/spares.h"
#include "wal/state.h"
#include "wal/submitter.h"

namespace penstock::wal {

class Keeper {
 public:
  Keeper(Shared& shared, SpareSegments& spares, Submitter& submitter)
      : shared_(shared), spares_(spares), submitter_(submitter), rewriter_(shared, submitter) {}

  [[nodiscard]] Status run_once(os::TimePoint now);

 private:
  [[nodiscard]] Status write_indexes();
  [[nodiscard]] Status recycle_retired();
  [[nodiscard]] Status make_spare();

  [[nodiscard]] Status clean(os::TimePoint now);
  [[nodiscard]] bool clock_is_believable(os::TimePoint now);
  [[nodiscard]] Status end_old_segment();
  [[nodiscard]] Status expire(bool by_age);
  [[nodiscard]] Status retire_empty();
  [[nodiscard]] Status move_remains();
  [[nodiscard]] Status compact();

  Shared& shared_;
  SpareSegments& spares_;
  Submitter& submitter_;
  Rewriter rewriter_;
  std::vector<Ref<Segment>> retired_;   // files that are not reused yet
  std::set<SegmentNumber> unreadable_;  // damaged: what is in them cannot be moved
  std::optional<os::TimePoint> next_clean_;
  std::optional<os::TimePoint> last_now_;  // with last_wall_: to notice leaps of the wall clock
  os::WallTime last_wall_{};
  os::TimePoint hold_until_{};
};

}  // namespace penstock::wal
