#include "dsl/record_cache.h"

namespace penstock::dsl {

namespace {

// Of nodes of the list and the map, about.
constexpr std::uint64_t kOverhead = 200;

std::uint64_t size_of(const std::optional<Bytes>& bytes) {
  return bytes.has_value() ? bytes->size() : 0;
}

}  // namespace

std::uint64_t CachedChange::size_bytes() const {
  std::uint64_t size = kOverhead + key.size() + size_of(new_value) + size_of(old_value);
  for (const Header& header : headers) {
    size += header.key.size() + size_of(header.value);
  }
  return size;
}

RecordCache::~RecordCache() {
  static_cast<void>(take());
}

void RecordCache::put(CachedChange change) {
  std::uint64_t replaced = 0;
  if (const auto found = by_key_.find(change.key); found != by_key_.end()) {
    replaced = found->second->size_bytes();
    change.old_value = std::move(found->second->old_value);
    const auto at = found->second;
    by_key_.erase(found);
    changes_.erase(at);
  }
  const std::uint64_t size = change.size_bytes();
  changes_.push_back(std::move(change));
  by_key_[changes_.back().key] = std::prev(changes_.end());
  budget_->take(size);
  budget_->give_back(replaced);
  size_bytes_ += size - replaced;
}

RecordCache::Changes RecordCache::take() {
  by_key_.clear();
  if (budget_ != nullptr) {
    budget_->give_back(std::exchange(size_bytes_, 0));
  }
  return std::exchange(changes_, {});
}

}  // namespace penstock::dsl
