// GraphProcessor runs the steps of one sub-topology in one task.
//
// Threads   one: that of the task.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "dsl/graph.h"

namespace penstock::dsl {

class GraphProcessor final : public topology::Processor {
 public:
  GraphProcessor(std::shared_ptr<const Graph> graph, std::vector<StepId> members)
      : graph_(std::move(graph)), members_(std::move(members)) {}

  [[nodiscard]] Status init(topology::ProcessorContext& context) override;

  void restored() override { runtime_->restored(); }

  [[nodiscard]] Status process(const topology::RecordSpan& records) override {
    return runtime_->process(records);
  }

  [[nodiscard]] Status before_commit() override;

  [[nodiscard]] std::size_t room() const override { return runtime_->room(); }

  [[nodiscard]] Result<bool> advance() override { return runtime_->advance(); }

  [[nodiscard]] bool may_commit() const override { return runtime_->may_commit(); }

  [[nodiscard]] std::optional<topology::TimePoint> next_advance() const override {
    return runtime_->next_advance();
  }

  void committed() override { runtime_->committed(); }

  void aborted() override { runtime_->aborted(); }

  [[nodiscard]] std::size_t pending_bytes() const override { return runtime_->pending_bytes(); }

 private:
  const std::shared_ptr<const Graph> graph_;
  const std::vector<StepId> members_;
  std::optional<TaskRuntime> runtime_;
};

}  // namespace penstock::dsl
