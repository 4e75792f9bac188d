#include "sinks/table/event_columns.h"

#include <utility>

#include "core/bytes.h"
#include "schema/json_pointer.h"

namespace penstock::sinks {

Result<std::unique_ptr<EventColumns>> EventColumns::make(
    const std::vector<config::Column>& columns) {
  std::vector<JsonPointer> pointers;
  for (const config::Column& column : columns) {
    PENSTOCK_TRY_ASSIGN(JsonPointer pointer, JsonPointer::parse(column.pointer));
    pointers.push_back(std::move(pointer));
  }
  return std::unique_ptr<EventColumns>(new EventColumns(ExtractPlan::compile(pointers)));
}

void EventColumns::read(std::span<const SinkRecord> records) {
  extractor_.clear();
  for (const SinkRecord& record : records) {
    extractor_.add(record.record.value.value_or(ByteView()));
  }
  extractor_.run();
}

std::string EventColumns::refusal(const SinkRecord& record, std::size_t index) const {
  if (!record.record.value.has_value()) {
    return "the record has no value";
  }
  return extractor_.ok(index) ? "" : "the event is not JSON";
}

}  // namespace penstock::sinks
