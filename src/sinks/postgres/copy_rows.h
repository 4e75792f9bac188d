// CopyRows is rows in PostgreSQL's binary COPY format, one after the other, so that any run of them
// can be sent without being encoded again.
//
//   begin_row(2); add_text("a"); add_null(); end_row();
//
// Source: PostgreSQL 15, documentation of COPY, "Binary Format"
//
// Threads   one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/column.h"
#include "core/bytes.h"
#include "schema/json_value.h"
#include "sinks/table/column_value.h"

namespace penstock::sinks {

class CopyRows {
 public:
  void clear();

  void begin_row(std::int16_t field_count);
  void add_null();
  void add_int32(std::int32_t value);
  void add_int64(std::int64_t value);
  void add_bytes(std::string_view bytes);
  void add_time(std::int64_t epoch_ms);
  // The value as the column's type. Empty: done; otherwise why it is no value of that type.
  [[nodiscard]] std::string add_value(const config::Column& column, const JsonValue& json);
  void end_row();
  // Takes the begun row back; an empty one stands in its place.
  void drop_row();

  [[nodiscard]] std::size_t size() const { return ends_.size(); }

  // The bytes of the rows of [begin, end).
  [[nodiscard]] std::string_view rows(std::size_t begin, std::size_t end) const;

 private:
  [[nodiscard]] bool add_typed(config::ColumnType type, const ColumnValue& value);

  std::string bytes_;
  std::vector<std::size_t> ends_;
  std::string scratch_;
};

}  // namespace penstock::sinks
