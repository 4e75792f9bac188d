#include "gateway/topic_maker.h"

#include <utility>
#include <vector>

namespace penstock::gateway {

Status TopicMaker::make(std::string_view name, Done done) {
  if (!wanted_.try_send({std::string(name), std::move(done)})) {
    return Error(ErrorCode::kBusy, "too many topics are being made: try again");
  }
  return {};
}

bool TopicMaker::run_once() {
  std::vector<Wanted> arrived;
  wanted_.receive(arrived);
  for (Wanted& wanted : arrived) {
    wanted.done(topics_.make_new(wanted.name));
  }
  return !arrived.empty();
}

}  // namespace penstock::gateway
