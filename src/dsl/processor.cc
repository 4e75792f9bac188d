#include "dsl/processor.h"

#include <utility>

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

}  // namespace penstock::dsl
