// EndWatch asks once in a while where partitions end, and never waits for the answer.
//
// For figures about partitions that nothing is fetched of: of the others librdkafka knows it.
//
// Threads   one.
// Lifetime  admin and clock outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kafka/admin.h"
#include "log/types.h"
#include "os/clock.h"

namespace penstock::kafka {

class EndWatch {
 public:
  EndWatch(const Admin& admin, const os::Clock& clock) : admin_(admin), clock_(clock) {}

  [[nodiscard]] bool is_due() const;
  // Takes the answer to the last question, if it has come, and asks the next.
  void ask(const std::vector<PlacedOffset>& partitions);

  [[nodiscard]] std::optional<Offset> end_of(const std::string& topic,
                                             std::int32_t partition) const;

 private:
  const Admin& admin_;
  const os::Clock& clock_;
  std::optional<Admin::Question> question_;
  std::optional<os::TimePoint> asked_at_;
  std::map<std::pair<std::string, std::int32_t>, Offset> ends_;
};

}  // namespace penstock::kafka
