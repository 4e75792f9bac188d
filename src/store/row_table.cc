#include "store/row_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/keyed_hash.h"

namespace penstock::store {

namespace {

constexpr std::uint64_t kInlineMask = 0x0000'ffff'ffff'ffff;
constexpr unsigned kLengthShift = 48;
constexpr unsigned kTagShift = 56;
constexpr std::uint64_t kLongKey = 255;
constexpr std::size_t kArenaBlockSizeMin = 1024;
constexpr std::size_t kArenaBlockSizeMax = std::size_t{1} << 20;

std::uint64_t hash_words(std::uint64_t first, std::uint64_t second, std::uint64_t seed) {
  return mix_words(mix_words(first ^ seed ^ kHashSecret1, second ^ kHashSecret2),
                   seed ^ kHashSecret1);
}

// Up to 14 bytes in two words. Whole loads and shifts: building a word from small copies in memory
// and loading it again costs a store-forwarding stall per key.
std::pair<std::uint64_t, std::uint64_t> pack_short(ByteView bytes) {
  const std::byte* at = bytes.data();
  const std::size_t size = bytes.size();
  if (size > 8) {
    const std::uint64_t tail = load_le<std::uint64_t>(at + size - 8);
    return {load_le<std::uint64_t>(at), tail >> (8 * (16 - size))};
  }
  if (size >= 4) {
    const std::uint64_t head = load_le<std::uint32_t>(at);
    const std::uint64_t tail = load_le<std::uint32_t>(at + size - 4);
    return {head | tail << (8 * (size - 4)), 0};
  }
  std::uint64_t word = 0;
  for (std::size_t index = 0; index < size; ++index) {
    word |= static_cast<std::uint64_t>(at[index]) << (8 * index);
  }
  return {word, 0};
}

const std::byte* arena_pointer(std::uint64_t word) {
  return reinterpret_cast<const std::byte*>(word &
                                            kInlineMask);  // NOLINT(performance-no-int-to-ptr)
}

ByteView long_key_bytes(const std::uint64_t* row) {
  const std::byte* at = arena_pointer(row[1]);
  return {at + sizeof(std::uint32_t), load_le<std::uint32_t>(at)};
}

bool is_long(const std::uint64_t* row) {
  return ((row[1] >> kLengthShift) & 0xff) == kLongKey;
}

}  // namespace

RowKey::RowKey(const std::uint64_t* row) {
  const auto tag = static_cast<KeyTag>(row[1] >> kTagShift);
  if (is_long(row)) {
    view_ = {long_key_bytes(row), tag};
    return;
  }
  store_le(inline_bytes_.data(), row[0]);
  store_le(inline_bytes_.data() + 8, row[1]);
  view_ = {{inline_bytes_.data(), (row[1] >> kLengthShift) & 0xff}, tag};
}

std::size_t RowTable::key_size(const std::uint64_t* row) {
  return is_long(row) ? long_key_bytes(row).size() : (row[1] >> kLengthShift) & 0xff;
}

RowTable::RowTable(std::size_t cell_count, std::uint64_t hash_seed)
    : stride_(kCellsAt + cell_count), hash_seed_(hash_seed) {}

void RowTable::pack_inline(const KeyView& key, PackedKey& packed) const {
  const auto [first, rest] = pack_short(key.bytes);
  const std::uint64_t second =
      rest | key.bytes.size() << kLengthShift | static_cast<std::uint64_t>(key.tag) << kTagShift;
  packed.first = first;
  packed.second = second;
  packed.hash = static_cast<std::uint32_t>(hash_words(first, second, hash_seed_));
  packed.long_bytes = nullptr;
}

void RowTable::pack_long(const KeyView& key, PackedKey& packed) const {
  const auto tag = static_cast<std::uint64_t>(key.tag);
  packed.first = keyed_hash(key.bytes, hash_seed_);
  packed.second = kLongKey << kLengthShift | tag << kTagShift;
  packed.hash = static_cast<std::uint32_t>(packed.first ^ tag);
  packed.long_bytes = key.bytes.data();
  packed.long_size = key.bytes.size();
}

const std::uint64_t* RowTable::find(const PackedKey& key) const {
  if (size_ == 0) {
    return nullptr;
  }
  for (std::size_t at = slot_of(key.hash);; at = (at + 1) & mask_) {
    const std::uint64_t slot = index_[at];
    if (slot == 0) {
      return nullptr;
    }
    if (static_cast<std::uint32_t>(slot >> 32) == key.hash && holds(row(id_of(slot)), key)) {
      return row(id_of(slot));
    }
  }
}

bool RowTable::holds_long(const std::uint64_t* row, const PackedKey& key) {
  return (row[1] & ~kInlineMask) == key.second &&
         std::ranges::equal(long_key_bytes(row), ByteView(key.long_bytes, key.long_size));
}

RowId RowTable::insert(std::size_t at, const PackedKey& key) {
  PENSTOCK_DCHECK(size_ < grow_at_);
  const auto id = static_cast<RowId>(size_);
  const auto place = std::uint64_t{id} + kFirstChunkRows;
  if (std::has_single_bit(place)) {  // the first row of a chunk; after clear() it may be there
    const auto chunk = static_cast<unsigned>(std::bit_width(place)) - kFirstChunkBits - 1;
    PENSTOCK_CHECK(chunk < kChunkCountMax);
    if (chunks_[chunk] == nullptr) {
      chunk_memory_[chunk] = os::LargeMemory(place * stride_ * sizeof(std::uint64_t));
      chunks_[chunk] = static_cast<std::uint64_t*>(chunk_memory_[chunk].data());
    }
  }
  ++size_;
  std::uint64_t* made = row(id);
  made[0] = key.first;
  made[1] = key.long_bytes == nullptr ? key.second : store_long_key(key);
  std::fill(made + kKeyWords, made + stride_, 0);
  index_[at] = std::uint64_t{key.hash} << 32 | (std::uint64_t{id} + 1);
  return id;
}

void RowTable::set_slots(std::size_t slot_count) {
  PENSTOCK_CHECK(slot_count <= std::size_t{1} << 32);
  index_memory_ = os::LargeMemory(slot_count * sizeof(std::uint64_t));
  index_ = static_cast<std::uint64_t*>(index_memory_.data());
  slot_count_ = slot_count;
  mask_ = slot_count - 1;
  grow_at_ = slot_count / 8 * 5;
}

void RowTable::grow(std::size_t count) {
  std::size_t slot_count = std::max<std::size_t>(slot_count_, 16);
  while ((size_ + count) * 8 > slot_count * 5) {
    slot_count *= 2;
  }
  const os::LargeMemory old_memory = std::move(index_memory_);
  const std::span<const std::uint64_t> old(index_, slot_count_);
  set_slots(slot_count);
  for (const std::uint64_t slot : old) {
    if (slot == 0) {
      continue;
    }
    std::size_t at = slot_of(static_cast<std::uint32_t>(slot >> 32));
    while (index_[at] != 0) {
      at = (at + 1) & mask_;
    }
    index_[at] = slot;
  }
}

void RowTable::clear() {
  constexpr std::size_t kSlotsPerRowMax = 64;
  if (slot_count_ > kSlotsPerRowMax * std::max<std::size_t>(size_, 1)) {
    set_slots(slot_count_ / 2);
  } else {
    std::fill_n(index_, slot_count_, 0);
  }
  size_ = 0;
  arena_.clear();
  arena_used_ = arena_capacity_ = arena_bytes_ = 0;
}

std::uint64_t RowTable::store_long_key(const PackedKey& key) {
  const std::size_t needed = sizeof(std::uint32_t) + key.long_size;
  if (arena_used_ + needed > arena_capacity_) {
    const std::size_t doubled = std::clamp(arena_bytes_, kArenaBlockSizeMin, kArenaBlockSizeMax);
    arena_capacity_ = std::max(doubled, needed);
    arena_.push_back(std::make_unique_for_overwrite<std::byte[]>(arena_capacity_));
    arena_bytes_ += arena_capacity_;
    arena_used_ = 0;
  }
  std::byte* at = arena_.back().get() + arena_used_;
  arena_used_ += needed;
  store_le(at, static_cast<std::uint32_t>(key.long_size));
  std::copy_n(key.long_bytes, key.long_size, at + sizeof(std::uint32_t));
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  PENSTOCK_CHECK((address & ~kInlineMask) == 0);  // user space of x86-64 and AArch64 has 48 bits
  return key.second | address;
}

std::size_t RowTable::size_bytes() const {
  return size_ * stride_ * sizeof(std::uint64_t) + slot_count_ * sizeof(std::uint64_t) +
         arena_bytes_;
}

}  // namespace penstock::store
