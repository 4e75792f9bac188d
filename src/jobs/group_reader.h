// GroupReader finds the group and the numbers of each event of a run.
//
// Where the group is the record's own key its bytes are used where they lie, and the JSON is only
// read if they could be those of a number, true or false: the key of "200" and of 200 has the same
// bytes, and only the event says which it was. Otherwise the fields are extracted from the JSON of
// the whole run in one pass.
//
// Threads   one.
// Lifetime  `plan` outlives it; the results of read() hold until the next one, and as long as the
//           records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "jobs/group_plan.h"
#include "schema/json_extractor.h"
#include "schema/json_value.h"
#include "store/aggregate.h"
#include "store/key.h"
#include "topology/processor.h"
#include "topology/record_span.h"

namespace penstock::jobs {

class GroupReader {
 public:
  explicit GroupReader(const GroupPlan& plan);

  void read(const topology::RecordSpan& records);

  // Of record `index`; none if no group can be made of it.
  [[nodiscard]] const std::optional<store::KeyView>& group(std::size_t index) const {
    return groups_[index];
  }

  // Of record `index`, which has a group: its aggregated fields, in the order of AggregateLayout.
  [[nodiscard]] std::span<const JsonValue> fields(std::size_t index) const {
    return extractor_.values(index).subspan(plan_.group_size());
  }

 private:
  void read_keys(const topology::RecordSpan& records);
  void read_ambiguous(const topology::RecordSpan& records);
  void read_json(const topology::RecordSpan& records);
  void read_single(std::size_t index, const JsonValue& value);
  void append_composite(std::span<const JsonValue> values);
  [[nodiscard]] ByteView unescaped(const JsonValue& value);

  const GroupPlan& plan_;
  JsonExtractor extractor_;
  std::vector<std::optional<store::KeyView>> groups_;
  std::vector<std::size_t> ambiguous_;
  Bytes composites_;
  std::vector<std::size_t> composite_ends_;
  std::vector<std::unique_ptr<std::string>> unescaped_;
  std::size_t unescaped_used_ = 0;
  std::string scratch_;
};

// The number a field holds, if it is one that can be aggregated.
[[nodiscard]] std::optional<store::InputNumber> number_of(const JsonValue& value);

}  // namespace penstock::jobs
