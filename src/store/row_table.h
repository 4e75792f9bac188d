// RowTable maps keys to rows of a fixed number of 64-bit cells: the hash table under all stores.
//
// Two parts: an index of 8-byte slots (32 bits of hash, row number), open addressing with linear
// probing; and the rows, in chunks that double in size and never move. So a row can be named by a
// pointer or by its number for as long as the table lives, growing copies only the index, and
// rows can be walked in the order of their creation. Keys of up to 14 bytes lie in the row itself,
// longer ones in an arena. Rows are never removed one by one: a window's table goes as a whole.
//
// Memory is what makes a table of a million keys slow, so callers work in groups: prefetch the
// slots of a group of keys, then their rows, and only then look them up (docs/performance.md).
//
//   word 0, 1   key: first 8 bytes; next 6 bytes, length, tag. Long: hash; arena pointer, 255, tag
//   word 2      for the owner of the table (WindowStore: epoch and flags); 0 in a new row
//   word 3...   cells; 0 in a new row
//
// Threads   one.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/check.h"
#include "os/large_memory.h"
#include "store/key.h"

namespace penstock::store {

using RowId = std::uint32_t;

// A key on its way to a lookup: packed into two words, and hashed.
struct PackedKey {
  std::uint64_t first;
  std::uint64_t second;
  std::uint32_t hash;
  // Of keys too long to pack: where they lie. Of others: nullptr.
  const std::byte* long_bytes;
  std::size_t long_size;
};

// The key of a row as bytes; short keys are copied into this object.
class RowKey {
 public:
  explicit RowKey(const std::uint64_t* row);

  RowKey(const RowKey&) = delete;
  RowKey& operator=(const RowKey&) = delete;

  [[nodiscard]] KeyView view() const { return view_; }

 private:
  std::array<std::byte, 16> inline_bytes_;
  KeyView view_;
};

class RowTable {
 public:
  static constexpr std::size_t kInlineKeySizeMax = 14;
  static constexpr std::size_t kKeyWords = 2;
  static constexpr std::size_t kCellsAt = 3;

  // `hash_seed` is secret and random, so that nobody can send keys that all collide.
  RowTable(std::size_t cell_count, std::uint64_t hash_seed);

  void pack(const KeyView& key, PackedKey& packed) const {
    if (key.bytes.size() <= kInlineKeySizeMax) [[likely]] {
      pack_inline(key, packed);
    } else {
      pack_long(key, packed);
    }
  }

  [[nodiscard]] PackedKey pack(const KeyView& key) const {
    PackedKey packed;
    pack(key, packed);
    return packed;
  }

  // Makes room for `count` further rows; no slot moves while these are inserted.
  void reserve(std::size_t count) {
    if (size_ + count > grow_at_) {
      grow(count);
    }
  }

  void prefetch_slot(const PackedKey& key) const { __builtin_prefetch(&index_[slot_of(key.hash)]); }

  // Where the key's row is to be found, or a new one to be put: the first slot with the key's hash,
  // or without a row. Prefetches that row. Reads the index only.
  [[nodiscard]] std::size_t locate(const PackedKey& key) const {
    for (std::size_t at = slot_of(key.hash);; at = (at + 1) & mask_) {
      const std::uint64_t slot = index_[at];
      if (static_cast<std::uint32_t>(slot >> 32) == key.hash && slot != 0) {
        __builtin_prefetch(row(id_of(slot)), 1);
        return at;
      }
      if (slot == 0) {
        return at;
      }
    }
  }

  // The row of `key`, made if there is none. `at` is from locate(); nothing but insertions may have
  // happened since. Needs room: see reserve().
  [[nodiscard]] RowId find_or_insert(const PackedKey& key, std::size_t at) {
    for (;; at = (at + 1) & mask_) {
      const std::uint64_t slot = index_[at];
      if (slot == 0) {
        return insert(at, key);
      }
      if (static_cast<std::uint32_t>(slot >> 32) == key.hash && holds(row(id_of(slot)), key)) {
        return id_of(slot);
      }
    }
  }

  [[nodiscard]] RowId find_or_insert(const PackedKey& key) {
    return find_or_insert(key, locate(key));
  }

  // The row of `key`, or nullptr.
  [[nodiscard]] const std::uint64_t* find(const PackedKey& key) const;

  [[nodiscard]] std::uint64_t* row(RowId id) {
    return const_cast<std::uint64_t*>(std::as_const(*this).row(id));
  }

  [[nodiscard]] const std::uint64_t* row(RowId id) const {
    const std::uint64_t place = std::uint64_t{id} + kFirstChunkRows;
    const auto chunk = static_cast<unsigned>(std::bit_width(place)) - kFirstChunkBits - 1;
    const std::uint64_t in_chunk = place - (std::uint64_t{kFirstChunkRows} << chunk);
    return &chunks_[chunk][in_chunk * stride_];
  }

  [[nodiscard]] static std::size_t key_size(const std::uint64_t* row);

  [[nodiscard]] std::size_t size() const { return size_; }

  // Forgets all rows; most of the memory is kept for the next ones.
  void clear();

  [[nodiscard]] std::size_t stride() const { return stride_; }

  // Of the rows in use, the index and the arena.
  [[nodiscard]] std::size_t size_bytes() const;

 private:
  static constexpr unsigned kFirstChunkBits = 3;
  static constexpr std::size_t kFirstChunkRows = 1 << kFirstChunkBits;
  static constexpr std::size_t kChunkCountMax = 32 - kFirstChunkBits;

  [[nodiscard]] std::size_t slot_of(std::uint32_t hash) const { return hash & mask_; }

  [[nodiscard]] static RowId id_of(std::uint64_t slot) { return static_cast<RowId>(slot) - 1; }

  [[nodiscard]] static bool holds(const std::uint64_t* row, const PackedKey& key) {
    if (row[0] != key.first) {
      return false;
    }
    return key.long_bytes == nullptr ? row[1] == key.second : holds_long(row, key);
  }

  // By reference: three words by value would be copied through memory, once per event.
  void pack_inline(const KeyView& key, PackedKey& packed) const;
  void pack_long(const KeyView& key, PackedKey& packed) const;
  [[nodiscard]] static bool holds_long(const std::uint64_t* row, const PackedKey& key);
  [[nodiscard]] RowId insert(std::size_t at, const PackedKey& key);
  void grow(std::size_t count);
  void set_slots(std::size_t slot_count);
  [[nodiscard]] std::uint64_t store_long_key(const PackedKey& key);

  std::size_t stride_;
  std::uint64_t hash_seed_;
  os::LargeMemory index_memory_;
  std::uint64_t* index_ = nullptr;
  std::size_t slot_count_ = 0;
  std::size_t mask_ = 0;
  std::size_t size_ = 0;
  std::size_t grow_at_ = 0;
  std::array<std::uint64_t*, kChunkCountMax> chunks_{};
  std::array<os::LargeMemory, kChunkCountMax> chunk_memory_;
  std::vector<std::unique_ptr<std::byte[]>> arena_;
  std::size_t arena_used_ = 0;      // of the last block
  std::size_t arena_capacity_ = 0;  // of the last block
  std::size_t arena_bytes_ = 0;     // of all
};

}  // namespace penstock::store
