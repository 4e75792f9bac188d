// LetterReader reads single dead letters back from the log, for replays.
//
// Threads   one.
// Lifetime  log and clock outlive it.
// Errors    kNotFound  no such letter: it never was, or retention or a purge has removed it
//           and what reading the log gives
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "log/log.h"
#include "os/clock.h"

namespace penstock::gateway {

struct StoredLetter {
  std::string event;
  std::string source;
  std::string code;
  std::uint32_t replays = 0;
};

class LetterReader {
 public:
  LetterReader(log::Log& log, const os::Clock& clock) : log_(log), clock_(clock) {}

  [[nodiscard]] Result<StoredLetter> read(TopicPartition letters, Offset offset);

 private:
  log::Log& log_;
  const os::Clock& clock_;
  std::unique_ptr<log::Consumer> consumer_;
};

}  // namespace penstock::gateway
