#include "store/key_order.h"

#include <compare>

namespace penstock::store {

std::size_t KeyOrder::refresh(const RowTable& rows, std::size_t block) {
  if (blocks_.size() <= block) {
    blocks_.resize(block + 1);
  }
  std::vector<std::uint16_t>& order = blocks_[block];
  const std::size_t first = block * kBlockRows;
  const std::size_t known = order.size();
  const std::size_t size = std::min(rows.size() - first, kBlockRows);
  if (known == size) {
    return 0;
  }
  order.reserve(size);
  for (std::size_t index = known; index < size; ++index) {
    order.push_back(static_cast<std::uint16_t>(index));
  }
  const auto before = [&](std::uint16_t left, std::uint16_t right) {
    const RowKey left_key(rows.row(static_cast<RowId>(first + left)));
    const RowKey right_key(rows.row(static_cast<RowId>(first + right)));
    return compare_keys(left_key.view(), right_key.view()) == std::strong_ordering::less;
  };
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(known);
  std::sort(middle, order.end(), before);
  std::inplace_merge(order.begin(), middle, order.end(), before);
  return size;
}

std::size_t KeyOrder::size_bytes() const {
  using Block = std::vector<std::uint16_t>;
  std::size_t size = blocks_.capacity() * sizeof(Block);
  for (const Block& block : blocks_) {
    size += block.capacity() * sizeof(std::uint16_t);
  }
  return size;
}

}  // namespace penstock::store
