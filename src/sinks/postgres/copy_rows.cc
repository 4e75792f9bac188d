#include "sinks/postgres/copy_rows.h"

#include <bit>

#include "sinks/postgres/big_endian.h"
#include "sinks/postgres/numeric.h"

namespace penstock::sinks {
namespace {

using config::ColumnType;

constexpr std::int64_t kEpoch2000Ms = 946'684'800'000;

}  // namespace

void CopyRows::clear() {
  bytes_.clear();
  ends_.clear();
}

void CopyRows::begin_row(std::int16_t field_count) {
  append_be(bytes_, field_count);
}

void CopyRows::end_row() {
  ends_.push_back(bytes_.size());
}

void CopyRows::drop_row() {
  bytes_.resize(ends_.empty() ? 0 : ends_.back());
  end_row();
}

std::string_view CopyRows::rows(std::size_t begin, std::size_t end) const {
  const std::size_t from = begin == 0 ? 0 : ends_[begin - 1];
  const std::size_t to = end == 0 ? 0 : ends_[end - 1];
  return std::string_view(bytes_).substr(from, to - from);
}

void CopyRows::add_null() {
  append_be(bytes_, std::int32_t{-1});
}

void CopyRows::add_int32(std::int32_t value) {
  append_be(bytes_, std::int32_t{4});
  append_be(bytes_, value);
}

void CopyRows::add_int64(std::int64_t value) {
  append_be(bytes_, std::int32_t{8});
  append_be(bytes_, value);
}

void CopyRows::add_bytes(std::string_view bytes) {
  append_be(bytes_, static_cast<std::int32_t>(bytes.size()));
  bytes_ += bytes;
}

void CopyRows::add_time(std::int64_t epoch_ms) {
  add_int64((epoch_ms - kEpoch2000Ms) * 1000);
}

std::string CopyRows::add_value(const config::Column& column, const JsonValue& json) {
  ColumnValue value;
  if (std::string why = read_column(column, json, scratch_, value); !why.empty()) {
    return why;
  }
  if (std::holds_alternative<std::monostate>(value)) {
    add_null();
    return {};
  }
  return add_typed(column.type, value) ? "" : why_not(column, json, "one that PostgreSQL can hold");
}

// False: PostgreSQL's type is smaller.
bool CopyRows::add_typed(ColumnType type, const ColumnValue& value) {
  switch (type) {
    case ColumnType::kText:
      add_bytes(std::get<std::string_view>(value));
      break;
    case ColumnType::kTimestamptz:
      add_time(std::get<std::int64_t>(value));
      break;
    case ColumnType::kNumeric: {
      std::string number;
      if (!append_numeric(number, std::get<std::string_view>(value))) {
        return false;
      }
      add_bytes(number);
      break;
    }
    case ColumnType::kBigint:
      add_int64(std::get<std::int64_t>(value));
      break;
    case ColumnType::kDouble:
      add_int64(std::bit_cast<std::int64_t>(std::get<double>(value)));
      break;
    case ColumnType::kBoolean:
      add_bytes(std::get<bool>(value) ? std::string_view("\1", 1) : std::string_view("\0", 1));
      break;
    case ColumnType::kJsonb: {
      const auto json = std::get<std::string_view>(value);
      append_be(bytes_, static_cast<std::int32_t>(json.size() + 1));
      bytes_ += '\1';  // the version of the format
      bytes_ += json;
      break;
    }
  }
  return true;
}

}  // namespace penstock::sinks
