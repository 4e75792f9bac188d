// KeySet is the set of record keys that compaction has come across.
//
// Exact: the keys themselves are kept, one behind the other in an arena; an open-addressing index
// of 8-byte slots leads to them. A lookup costs two cache misses, so it is done in steps for a
// group of keys at a time: probe() all, touch() all, then insert() or contains().
//
// Threads   one.
#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"

namespace penstock::wal {

class KeySet {
 public:
  struct Probe {
    ByteView key;  // the caller's memory
    std::uint32_t hash = 0;
  };

  // `hash_seed` is secret and random, see core/keyed_hash.h.
  explicit KeySet(std::uint64_t hash_seed);

  [[nodiscard]] Probe probe(ByteView key) const;
  // Brings what the key's slot points to into the cache.
  void touch(const Probe& probe) const;

  // False if it was there.
  bool insert(const Probe& probe);

  [[nodiscard]] bool contains(const Probe& probe) const { return index_[slot_of(probe)] != 0; }

  [[nodiscard]] std::size_t size_bytes() const;

 private:
  [[nodiscard]] bool holds(std::uint32_t entry, ByteView key) const;
  // The slot of the key, or the empty one where it would be put.
  [[nodiscard]] std::size_t slot_of(const Probe& probe) const;
  [[nodiscard]] std::uint32_t put(ByteView key);
  void grow();

  std::uint64_t hash_seed_;
  std::vector<std::uint64_t> index_;  // hash << 32 | entry + 1, 0: empty; a power of two of them
  std::vector<std::uint64_t> arena_;  // entries: size of the key; the key, filled up to whole words
  std::size_t count_ = 0;
};

}  // namespace penstock::wal
