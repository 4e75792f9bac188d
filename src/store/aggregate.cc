#include "store/aggregate.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>

#include "core/check.h"
#include "core/varint.h"

namespace penstock::store {

namespace {

using Kind = AggregateColumn::Kind;

constexpr std::uint64_t kSumHasFraction = 1;
constexpr std::uint64_t kMinIsFraction = 2;
constexpr std::uint64_t kMaxIsFraction = 4;
constexpr std::uint64_t kFlags = 7;
constexpr std::uint64_t kOneNumber = 8;

std::int64_t as_integer(std::uint64_t cell) {
  return static_cast<std::int64_t>(cell);
}

double as_double(std::uint64_t cell) {
  return std::bit_cast<double>(cell);
}

InputNumber from_cell(std::uint64_t cell, bool is_fraction) {
  return is_fraction ? InputNumber{true, 0, as_double(cell)}
                     : InputNumber{false, as_integer(cell), 0};
}

std::uint64_t to_cell(const InputNumber& number) {
  return number.is_fraction ? std::bit_cast<std::uint64_t>(number.fraction)
                            : static_cast<std::uint64_t>(number.integer);
}

// Exact, also where the integer has more digits than a double.
std::strong_ordering compare(std::int64_t integer, double fraction) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (fraction >= kTwoTo63) {
    return std::strong_ordering::less;
  }
  if (fraction < -kTwoTo63) {
    return std::strong_ordering::greater;
  }
  const double whole = std::trunc(fraction);
  const std::strong_ordering by_whole = integer <=> static_cast<std::int64_t>(whole);
  if (by_whole != std::strong_ordering::equal) {
    return by_whole;
  }
  return whole < fraction   ? std::strong_ordering::less
         : whole > fraction ? std::strong_ordering::greater
                            : std::strong_ordering::equal;
}

bool less(const InputNumber& left, const InputNumber& right) {
  if (left.is_fraction && right.is_fraction) {
    return left.fraction < right.fraction;
  }
  if (left.is_fraction) {
    return compare(right.integer, left.fraction) == std::strong_ordering::greater;
  }
  if (right.is_fraction) {
    return compare(left.integer, right.fraction) == std::strong_ordering::less;
  }
  return left.integer < right.integer;
}

void add_integer(std::uint64_t* sum, std::uint64_t& flags, std::int64_t integer) {
  std::int64_t total = 0;
  if (!__builtin_add_overflow(as_integer(sum[0]), integer, &total)) [[likely]] {
    sum[0] = static_cast<std::uint64_t>(total);
    return;
  }
  sum[1] =
      std::bit_cast<std::uint64_t>(as_double(sum[1]) + static_cast<double>(as_integer(sum[0])));
  sum[0] = static_cast<std::uint64_t>(integer);
  flags |= kSumHasFraction;
}

void add_fraction(std::uint64_t* sum, std::uint64_t& flags, double fraction) {
  sum[1] = std::bit_cast<std::uint64_t>(as_double(sum[1]) + fraction);
  flags |= kSumHasFraction;
}

// Replaces the extreme in `cell` if there is none yet or `better(number, it)`.
template <typename Better>
void take_extreme(std::uint64_t& cell, std::uint64_t& numbers, std::uint64_t flag,
                  const InputNumber& number, Better better) {
  const bool first = (numbers & ~kFlags) == 0;
  if (first || better(number, from_cell(cell, (numbers & flag) != 0))) {
    cell = to_cell(number);
    numbers = number.is_fraction ? numbers | flag : numbers & ~flag;
  }
}

bool greater(const InputNumber& left, const InputNumber& right) {
  return less(right, left);
}

double sum_as_double(const std::uint64_t* sum) {
  return static_cast<double>(as_integer(sum[0])) + as_double(sum[1]);
}

Number number_of(const InputNumber& number) {
  return number.is_fraction ? Number(number.fraction) : Number(number.integer);
}

// Reads cells back; every get_ is false where the bytes end too early.
class CellReader {
 public:
  explicit CellReader(ByteView bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  [[nodiscard]] bool integer(std::uint64_t& cell) {
    std::int64_t value = 0;
    at_ = get_varint(at_, end_, value);
    cell = static_cast<std::uint64_t>(value);
    return at_ != nullptr;
  }

  [[nodiscard]] bool fraction(std::uint64_t& cell) {
    if (end_ - at_ < 8) {
      return false;
    }
    cell = load_le<std::uint64_t>(at_);
    at_ += 8;
    return true;
  }

  [[nodiscard]] bool number(std::uint64_t& cell, bool is_fraction) {
    return is_fraction ? fraction(cell) : integer(cell);
  }

  [[nodiscard]] bool at_end() const { return at_ == end_; }

 private:
  const std::byte* at_;
  const std::byte* end_;
};

std::byte* put_number(std::byte* to, std::uint64_t cell, bool is_fraction) {
  if (!is_fraction) {
    return put_varint(to, as_integer(cell));
  }
  store_le(to, cell);
  return to + 8;
}

}  // namespace

AggregateLayout::AggregateLayout(std::vector<AggregateColumn> columns)
    : columns_(std::move(columns)) {
  for (const AggregateColumn& column : columns_) {
    if (column.kind == Kind::kCount) {
      field_of_column_.push_back(0);
      continue;
    }
    const auto found = std::ranges::find(pointers_, column.pointer);
    field_of_column_.push_back(static_cast<std::size_t>(found - pointers_.begin()));
    if (found == pointers_.end()) {
      pointers_.push_back(column.pointer);
    }
  }
  const auto take_cells = [this](std::uint32_t count) {
    const auto first = static_cast<std::uint32_t>(cell_count_);
    cell_count_ += count;
    return first;
  };
  const auto asked = [this](std::size_t field, auto... kinds) {
    for (std::size_t index = 0; index < columns_.size(); ++index) {
      if (field_of_column_[index] == field && ((columns_[index].kind == kinds) || ...)) {
        return true;
      }
    }
    return false;
  };
  for (std::size_t index = 0; index < pointers_.size(); ++index) {
    Field field;
    field.numbers = take_cells(1);
    field.sum = asked(index, Kind::kSum, Kind::kAvg) ? take_cells(2) : 0;
    field.min = asked(index, Kind::kMin) ? take_cells(1) : 0;
    field.max = asked(index, Kind::kMax) ? take_cells(1) : 0;
    fields_.push_back(field);
  }
}

void AggregateLayout::add(std::uint64_t* cells, std::size_t field_index,
                          const InputNumber& number) const {
  const Field& field = fields_[field_index];
  std::uint64_t& numbers = cells[field.numbers];
  if (field.sum != 0) {
    if (number.is_fraction) {
      add_fraction(cells + field.sum, numbers, number.fraction);
    } else {
      add_integer(cells + field.sum, numbers, number.integer);
    }
  }
  if (field.min != 0) {
    take_extreme(cells[field.min], numbers, kMinIsFraction, number, less);
  }
  if (field.max != 0) {
    take_extreme(cells[field.max], numbers, kMaxIsFraction, number, greater);
  }
  numbers += kOneNumber;
}

void AggregateLayout::merge(std::uint64_t* into, const std::uint64_t* from) const {
  into[kRecordsCell] += from[kRecordsCell];
  for (const Field& field : fields_) {
    const std::uint64_t from_numbers = from[field.numbers];
    if ((from_numbers & ~kFlags) == 0) {
      continue;
    }
    std::uint64_t& numbers = into[field.numbers];
    if (field.sum != 0) {
      add_integer(into + field.sum, numbers, as_integer(from[field.sum]));
      if ((from_numbers & kSumHasFraction) != 0) {
        add_fraction(into + field.sum, numbers, as_double(from[field.sum + 1]));
      }
    }
    if (field.min != 0) {
      take_extreme(into[field.min], numbers, kMinIsFraction,
                   from_cell(from[field.min], (from_numbers & kMinIsFraction) != 0), less);
    }
    if (field.max != 0) {
      take_extreme(into[field.max], numbers, kMaxIsFraction,
                   from_cell(from[field.max], (from_numbers & kMaxIsFraction) != 0), greater);
    }
    numbers += from_numbers & ~kFlags;
  }
}

std::size_t AggregateLayout::encoded_size_max() const {
  return cell_count_ * kVarintSizeMax;
}

std::byte* AggregateLayout::encode(const std::uint64_t* cells, std::byte* to) const {
  to = put_varint(to, as_integer(cells[kRecordsCell]));
  for (const Field& field : fields_) {
    const std::uint64_t numbers = cells[field.numbers];
    to = put_varint(to, as_integer(numbers));
    if (field.sum != 0) {
      to = put_varint(to, as_integer(cells[field.sum]));
      if ((numbers & kSumHasFraction) != 0) {
        to = put_number(to, cells[field.sum + 1], true);
      }
    }
    if (field.min != 0) {
      to = put_number(to, cells[field.min], (numbers & kMinIsFraction) != 0);
    }
    if (field.max != 0) {
      to = put_number(to, cells[field.max], (numbers & kMaxIsFraction) != 0);
    }
  }
  return to;
}

Status AggregateLayout::decode(ByteView bytes, std::uint64_t* cells) const {
  CellReader reader(bytes);
  bool ok = reader.integer(cells[kRecordsCell]);
  for (const Field& field : fields_) {
    std::uint64_t& numbers = cells[field.numbers];
    ok = ok && reader.integer(numbers);
    if (field.sum != 0) {
      ok = ok && reader.integer(cells[field.sum]);
      cells[field.sum + 1] = 0;
      if (ok && (numbers & kSumHasFraction) != 0) {
        ok = reader.fraction(cells[field.sum + 1]);
      }
    }
    if (field.min != 0) {
      ok = ok && reader.number(cells[field.min], (numbers & kMinIsFraction) != 0);
    }
    if (field.max != 0) {
      ok = ok && reader.number(cells[field.max], (numbers & kMaxIsFraction) != 0);
    }
  }
  if (!ok || !reader.at_end()) {
    return Error(ErrorCode::kInvalid, "the aggregates were not written with these columns: " +
                                          std::to_string(bytes.size()) + " bytes do not fit them");
  }
  return {};
}

Number AggregateLayout::result(const std::uint64_t* cells, std::size_t column_index) const {
  const Kind kind = columns_[column_index].kind;
  if (kind == Kind::kCount) {
    return as_integer(cells[kRecordsCell]);
  }
  const Field& field = fields_[field_of_column_[column_index]];
  const std::uint64_t numbers = cells[field.numbers];
  if ((numbers & ~kFlags) == 0) {
    return std::monostate();
  }
  switch (kind) {
    case Kind::kSum:
      return (numbers & kSumHasFraction) != 0 ? Number(sum_as_double(cells + field.sum))
                                              : Number(as_integer(cells[field.sum]));
    case Kind::kAvg: {
      const std::uint64_t count = numbers / kOneNumber;
      return sum_as_double(cells + field.sum) / static_cast<double>(count);
    }
    case Kind::kMin:
      return number_of(from_cell(cells[field.min], (numbers & kMinIsFraction) != 0));
    case Kind::kMax:
      return number_of(from_cell(cells[field.max], (numbers & kMaxIsFraction) != 0));
    case Kind::kCount:
      break;
  }
  check_failed("unknown AggregateColumn::Kind", __FILE__, __LINE__);
}

}  // namespace penstock::store
