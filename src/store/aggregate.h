// AggregateLayout says how the aggregates of one key lie in a row's cells, and computes with them.
//
// What is stored is what can be merged: from counts, sums, minima and maxima of two parts those of
// the whole follow, which is how partial aggregates of several partitions come together. An
// average is its sum and its number of values.
//
// Integers are summed exactly while the sum fits 64 bits; fractions, and what does not fit, go to
// a second, floating-point sum beside it. Minima and maxima keep integers exact too. Fields that
// are no numbers do not take part, as in SQL; the sum of no numbers is none.
//
//   cell 0       records (the row exists while this is > 0)
//   per field    numbers << 3 | flags; then, where asked for: integer sum, fraction sum; min; max
//
// As bytes (changelog, repartition topic): cells in this order; counts and integers as zigzag
// varints, doubles as 8 bytes little endian; the fraction sum only where its flag is set.
//
// Threads   values; no sharing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "store/query.h"

namespace penstock::store {

// A number out of an event: an integer where it is one that fits 64 bits, else a finite double.
struct InputNumber {
  bool is_fraction = false;
  std::int64_t integer = 0;
  double fraction = 0;
};

class AggregateLayout {
 public:
  static constexpr std::size_t kRecordsCell = 0;

  // Of the columns a query shows; duplicates are fine.
  explicit AggregateLayout(std::vector<AggregateColumn> columns);

  [[nodiscard]] const std::vector<AggregateColumn>& columns() const { return columns_; }

  // The distinct fields that are aggregated, in the order of `field_index` below.
  [[nodiscard]] const std::vector<std::string>& field_pointers() const { return pointers_; }

  [[nodiscard]] std::size_t cell_count() const { return cell_count_; }

  // Adds one number of field `field_index` (its record is counted in kRecordsCell by the caller).
  void add(std::uint64_t* cells, std::size_t field_index, const InputNumber& number) const;

  // Adds all of `from` to `into`.
  void merge(std::uint64_t* into, const std::uint64_t* from) const;

  // Largest number of bytes that encode() writes.
  [[nodiscard]] std::size_t encoded_size_max() const;
  // Returns the end. `to` has encoded_size_max() writable bytes.
  std::byte* encode(const std::uint64_t* cells, std::byte* to) const;
  // kInvalid where the bytes are not what encode() writes for this layout.
  [[nodiscard]] Status decode(ByteView bytes, std::uint64_t* cells) const;

  // What a query shows for columns()[column_index].
  [[nodiscard]] Number result(const std::uint64_t* cells, std::size_t column_index) const;

 private:
  struct Field {
    std::uint32_t numbers = 0;  // cell indexes; 0: not kept
    std::uint32_t sum = 0;      // followed by the cell of the fraction sum
    std::uint32_t min = 0;
    std::uint32_t max = 0;
  };

  std::vector<AggregateColumn> columns_;
  std::vector<std::string> pointers_;
  std::vector<Field> fields_;
  std::vector<std::size_t> field_of_column_;
  std::size_t cell_count_ = 1;
};

}  // namespace penstock::store
