// recover() reads a log directory and rebuilds what was known when it was last written.
//
// The newest segment begins with a snapshot; the groups behind it are applied one by one, as they
// were when they were written. Older segments are only looked at: they must be there, be the same
// files, and have an index (or are scanned to make one). In the end the batches found must cover
// the offsets of every partition exactly.
//
// Where the newest segment's groups end there are two cases, and they are never mixed up:
//
//   torn tail   nothing proves that the next group was ever synced: it was cut off while being
//               written and nobody was told of it. The log goes on in its place.
//   damage      a group behind it, or the proof file, says that it had been synced; or anything is
//               wrong in an older segment. Nothing is changed; kCorrupt names file and position.
//
// Threads   one, before the log has any.
// Where Options::on_damage accepts the loss, all that is needed is read and checked, and the lost
// offsets are noted in the catalog: with the next snapshot, which the log writes at once, they are
// durably a range that is gone. Damage that comes later is refused as before.
//
// Errors    kCorrupt  damage, unless the loss is accepted
//           kInvalid  files of a newer version
//           kFatal    the disk fails
#pragma once

#include "core/result.h"
#include "wal/embedded_log.h"
#include "wal/spares.h"
#include "wal/state.h"
#include "wal/writer.h"

namespace penstock::wal {

struct Recovered {
  LogEnd end;
  bool must_start_segment = false;  // there is none yet, or the last one is damaged
};

// Fills the catalog of `shared`. Spare files are adopted, retired segments recycled.
[[nodiscard]] Result<Recovered> recover(Shared& shared, SpareSegments& spares,
                                        RecoveryReport& report);

}  // namespace penstock::wal
