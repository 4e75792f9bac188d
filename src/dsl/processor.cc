#include "dsl/processor.h"

#include <algorithm>
#include <utility>

#include "dsl/processor_node.h"

namespace penstock::dsl {

void ProcessorContextBase::schedule(PunctuationType type, std::chrono::milliseconds interval,
                                    UniqueFunction<void(Timestamp)> punctuate) {
  if (type == PunctuationType::kStreamTime) {
    runtime().schedule_stream_time(interval, std::move(punctuate));
    return;
  }
  runtime().context().schedule(
      topology::ProcessorContext::TimeKind::kWallClock, interval,
      [&owner = runtime(), run = std::move(punctuate)](Timestamp now) mutable {
        owner.begin_punctuation();
        run(now);
      });
}

std::optional<std::size_t> NamedChildren::find(std::string_view name) {
  const auto found = std::ranges::find(names_, name);
  if (found != names_.end()) {
    return static_cast<std::size_t>(found - names_.begin());
  }
  runtime_.fail(Error(ErrorCode::kInvalid, "step \"" + step_ + "\" forwards to \"" +
                                               std::string(name) +
                                               "\", which is no step behind it"));
  return std::nullopt;
}

}  // namespace penstock::dsl
