#include "sinks/postgres/copy_rows.h"

#include <bit>

#include "core/rfc3339.h"
#include "core/utf8.h"
#include "sinks/postgres/big_endian.h"
#include "sinks/postgres/numeric.h"

namespace penstock::sinks {
namespace {

using config::ColumnType;

constexpr std::int64_t kEpoch2000Ms = 946'684'800'000;
constexpr std::int64_t kTimeMsMax = 253'402'300'799'999;  // the end of 9999
constexpr std::int64_t kTimeMsMin = -62'167'219'200'000;  // the beginning of 0000

std::string is_not(std::string_view what, const JsonValue& value) {
  constexpr std::size_t kShown = 60;
  return "is " + std::string(to_string(value.type)) + " " +
         std::string(value.json().substr(0, kShown)) + ", not " + std::string(what);
}

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

std::string CopyRows::add_value(const config::Column& column, const JsonValue& value) {
  if (value.is_missing() || value.type == JsonType::kNull) {
    if (column.not_null) {
      return column.pointer + " is " + std::string(to_string(value.type));
    }
    add_null();
    return {};
  }
  const std::string why = add_typed(column.type, value);
  return why.empty() ? why : column.pointer + " " + why;
}

std::string CopyRows::add_typed(ColumnType type, const JsonValue& value) {
  switch (type) {
    case ColumnType::kText:
      return add_text(value);
    case ColumnType::kTimestamptz:
      return add_timestamp(value);
    case ColumnType::kNumeric:
      return add_number(value);
    case ColumnType::kBigint:
      if (const auto number = value.as_int64()) {
        add_int64(*number);
        return {};
      }
      return is_not("a whole number of 64 bits", value);
    case ColumnType::kDouble:
      if (const auto number = value.as_double()) {
        add_int64(std::bit_cast<std::int64_t>(*number));
        return {};
      }
      return is_not("a number", value);
    case ColumnType::kBoolean:
      if (const auto flag = value.as_bool()) {
        add_bytes(*flag ? std::string_view("\1", 1) : std::string_view("\0", 1));
        return {};
      }
      return is_not("true or false", value);
    case ColumnType::kJsonb:
      break;
  }
  const std::string_view json = value.json();
  append_be(bytes_, static_cast<std::int32_t>(json.size() + 1));
  bytes_ += '\1';  // the version of the format
  bytes_ += json;
  return {};
}

std::string CopyRows::add_text(const JsonValue& value) {
  if (value.type == JsonType::kObject || value.type == JsonType::kArray) {
    return is_not("a text", value);
  }
  const std::string_view text =
      value.type == JsonType::kString ? string_text(value, scratch_) : value.raw;
  if (text.find('\0') != std::string_view::npos || !is_utf8(text)) {
    return "holds characters that a text cannot hold in PostgreSQL";
  }
  add_bytes(text);
  return {};
}

std::string CopyRows::add_timestamp(const JsonValue& value) {
  const auto time = value.type == JsonType::kString ? parse_rfc3339(string_text(value, scratch_))
                                                    : value.as_int64();
  if (!time.has_value() || *time < kTimeMsMin || *time > kTimeMsMax) {
    return is_not("a time: RFC 3339, or milliseconds since 1970", value);
  }
  add_time(*time);
  return {};
}

std::string CopyRows::add_number(const JsonValue& value) {
  const std::string_view text =
      value.type == JsonType::kString ? string_text(value, scratch_) : value.raw;
  std::string number;
  if ((value.type != JsonType::kNumber && value.type != JsonType::kString) ||
      !append_numeric(number, text)) {
    return is_not("a number that PostgreSQL can hold", value);
  }
  add_bytes(number);
  return {};
}

}  // namespace penstock::sinks
