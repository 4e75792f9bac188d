// EventColumns takes the events of a batch apart into the values that a table's columns want.
//
// Threads   one.
// Lifetime  values are valid until the next read().
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/column.h"
#include "core/result.h"
#include "schema/extract_plan.h"
#include "schema/json_extractor.h"
#include "schema/json_value.h"
#include "sinks/runtime/destination.h"

namespace penstock::sinks {

class EventColumns {
 public:
  // kInvalid: a column's JSON Pointer cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<EventColumns>> make(
      const std::vector<config::Column>& columns);

  void read(std::span<const SinkRecord> records);

  // Empty, or why the record of that index is no row, whatever its columns are.
  [[nodiscard]] std::string refusal(const SinkRecord& record, std::size_t index) const;

  // One for each column.
  [[nodiscard]] std::span<const JsonValue> values(std::size_t index) const {
    return extractor_.values(index);
  }

 private:
  explicit EventColumns(ExtractPlan plan) : plan_(std::move(plan)), extractor_(plan_) {}

  const ExtractPlan plan_;
  JsonExtractor extractor_;
};

}  // namespace penstock::sinks
