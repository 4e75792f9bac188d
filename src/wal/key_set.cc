#include "wal/key_set.h"

#include <cstring>
#include <limits>
#include <utility>

#include "core/check.h"
#include "core/keyed_hash.h"

namespace penstock::wal {
namespace {

constexpr std::size_t kIndexSizeMin = 1024;
constexpr std::size_t kWord = sizeof(std::uint64_t);

std::uint32_t entry_of(std::uint64_t slot) {
  return static_cast<std::uint32_t>(slot) - 1;
}

std::uint32_t hash_of(std::uint64_t slot) {
  return static_cast<std::uint32_t>(slot >> 32);
}

}  // namespace

KeySet::KeySet(std::uint64_t hash_seed) : hash_seed_(hash_seed), index_(kIndexSizeMin) {}

KeySet::Probe KeySet::probe(ByteView key) const {
  const auto hash = static_cast<std::uint32_t>(keyed_hash(key, hash_seed_));
  __builtin_prefetch(&index_[hash & (index_.size() - 1)]);
  return {key, hash};
}

void KeySet::touch(const Probe& probe) const {
  const std::uint64_t slot = index_[probe.hash & (index_.size() - 1)];
  if (slot != 0) {
    __builtin_prefetch(&arena_[entry_of(slot)]);
  }
}

bool KeySet::holds(std::uint32_t entry, ByteView key) const {
  const std::uint64_t* at = &arena_[entry];
  return *at == key.size() && (key.empty() || std::memcmp(at + 1, key.data(), key.size()) == 0);
}

std::size_t KeySet::slot_of(const Probe& probe) const {
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = probe.hash & mask;; at = (at + 1) & mask) {
    const std::uint64_t slot = index_[at];
    if (slot == 0 || (hash_of(slot) == probe.hash && holds(entry_of(slot), probe.key))) {
      return at;
    }
  }
}

bool KeySet::insert(const Probe& probe) {
  std::size_t at = slot_of(probe);
  if (index_[at] != 0) {
    return false;
  }
  if ((count_ + 1) * 2 > index_.size()) {
    grow();
    at = slot_of(probe);
  }
  index_[at] = std::uint64_t{probe.hash} << 32 | (std::uint64_t{put(probe.key)} + 1);
  ++count_;
  return true;
}

std::uint32_t KeySet::put(ByteView key) {
  const std::size_t entry = arena_.size();
  PENSTOCK_CHECK(entry < std::numeric_limits<std::uint32_t>::max());  // 32 GiB: far over the limit
  arena_.resize(entry + 1 + (key.size() + kWord - 1) / kWord);
  arena_[entry] = key.size();
  if (!key.empty()) {
    std::memcpy(&arena_[entry + 1], key.data(), key.size());
  }
  return static_cast<std::uint32_t>(entry);
}

void KeySet::grow() {
  std::vector<std::uint64_t> larger(index_.size() * 2);
  const std::size_t mask = larger.size() - 1;
  for (const std::uint64_t slot : index_) {
    if (slot != 0) {
      std::size_t at = hash_of(slot) & mask;
      while (larger[at] != 0) {
        at = (at + 1) & mask;
      }
      larger[at] = slot;
    }
  }
  index_ = std::move(larger);
}

std::size_t KeySet::size_bytes() const {
  return (index_.size() + arena_.size()) * kWord;
}

}  // namespace penstock::wal
