#include "dsl/graph_processor.h"

#include <algorithm>

namespace penstock::dsl {

Status GraphProcessor::init(topology::ProcessorContext& context) {
  const ErrorHandlers& errors = graph_->errors();
  runtime_.emplace(context, errors,
                   errors.dead_letter_topic.empty()
                       ? nullptr
                       : &context.output(Graph::dead_letter_sink(members_.front())));
  runtime_->advance_stream_time(context.stream_time());
  for (const NodePlan& plan : graph_->plans_) {
    if (std::ranges::binary_search(members_, plan.first)) {
      runtime_->add_node(plan.last, plan.make(*runtime_));
    }
  }
  return runtime_->take_failure();
}

Status GraphProcessor::before_commit() {
  runtime_->before_commit();
  return runtime_->take_failure();
}

}  // namespace penstock::dsl
