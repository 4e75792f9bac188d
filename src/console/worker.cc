#include "console/worker.h"

namespace penstock::console {

Worker::Worker(log::Log& log, const os::Clock& clock, Options options)
    : jobs_(options.queue_max), reader_(log, clock, options.reader) {}

std::size_t Worker::run_once() {
  jobs_.receive(taken_);
  const std::size_t count = taken_.size();
  for (Job& job : taken_) {
    job(reader_);
  }
  taken_.clear();
  return count;
}

}  // namespace penstock::console
