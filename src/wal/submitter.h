// Submitter brings requests to the writer, and waits for them where the caller must block.
//
// A blocked caller does the writer's turn itself if no thread is doing it. So the log works with a
// writer thread, without one, and on a single simulated thread, by the same code.
//
// Threads   any.
// Lifetime  `shared` and `writer` outlive it.
// Errors    kBusy     the queue or the disk is full; nothing was taken
//           kInvalid  larger than Options::append_bytes_max
//           kNotFound a batch for a partition that is not there
//           kFatal    the log has failed or is closed
#pragma once

#include "core/guarded.h"
#include "core/result.h"
#include "wal/state.h"
#include "wal/writer.h"

namespace penstock::wal {

class Submitter {
 public:
  Submitter(Shared& shared, Guarded<Writer>& writer) : shared_(shared), writer_(writer) {}

  // `request.done` runs exactly once if this returns Ok; otherwise `request` is as it was.
  [[nodiscard]] Status submit(Request&& request);
  // Sets `request.done` itself.
  [[nodiscard]] Status submit_and_wait(Request request);
  // Waits until everything that was submitted before is answered.
  [[nodiscard]] Status flush();

 private:
  [[nodiscard]] Status check_door(const State& state, const Request& request);
  [[nodiscard]] std::size_t queue_share(const Request& request) const;
  [[nodiscard]] bool has_room_for(const Request& request) const;

  Shared& shared_;
  Guarded<Writer>& writer_;
};

}  // namespace penstock::wal
