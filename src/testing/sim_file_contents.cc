#include "testing/sim_file_contents.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace penstock::testing {
namespace {

// More un-synced versions of a page than this are not remembered.
constexpr std::size_t kVersionsMax = 4;

std::uint64_t pages_for(std::uint64_t size) {
  return (size + SimFileContents::kPageSize - 1) / SimFileContents::kPageSize;
}

}  // namespace

SimFileContents::PageRef SimFileContents::find(const Pages& pages, std::uint64_t index) {
  const auto found = pages.find(index);
  return found == pages.end() ? PageRef() : found->second;
}

std::uint64_t SimFileContents::allocated_bytes() const {
  const auto beyond = std::distance(pages_.lower_bound(reserved_pages_), pages_.end());
  return (reserved_pages_ + static_cast<std::uint64_t>(beyond)) * kPageSize;
}

std::uint64_t SimFileContents::needed_to_write(std::uint64_t offset, std::size_t size) const {
  std::uint64_t fresh = 0;
  for (std::uint64_t index = offset / kPageSize; index < pages_for(offset + size); ++index) {
    fresh += (index >= reserved_pages_ && !pages_.contains(index)) ? 1 : 0;
  }
  return fresh * kPageSize;
}

std::uint64_t SimFileContents::needed_to_preallocate(std::uint64_t size) const {
  const std::uint64_t end = pages_for(size);
  if (end <= reserved_pages_) {
    return 0;
  }
  const auto there = std::distance(pages_.lower_bound(reserved_pages_), pages_.lower_bound(end));
  return (end - reserved_pages_ - static_cast<std::uint64_t>(there)) * kPageSize;
}

std::size_t SimFileContents::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset >= size_) {
    return 0;
  }
  const std::size_t total = std::min<std::uint64_t>(into.size(), size_ - offset);
  std::size_t done = 0;
  while (done < total) {
    const std::size_t begin = (offset + done) % kPageSize;
    const std::size_t count = std::min(total - done, kPageSize - begin);
    const PageRef page = find(pages_, (offset + done) / kPageSize);
    if (page) {
      std::memcpy(into.data() + done, page->bytes.data() + begin, count);
    } else {
      std::memset(into.data() + done, 0, count);
    }
    done += count;
  }
  return total;
}

void SimFileContents::write_page(std::uint64_t index, std::size_t begin, ByteView bytes) {
  const auto page = make_ref<Page>();
  if (const PageRef old = find(pages_, index)) {
    page->bytes = old->bytes;
  }
  std::memcpy(page->bytes.data() + begin, bytes.data(), bytes.size());
  pages_[index] = page;
  std::vector<PageRef>& versions = dirty_[index];
  versions.emplace_back(page);
  if (versions.size() > kVersionsMax) {
    versions.erase(versions.begin());
  }
}

void SimFileContents::write(std::uint64_t offset, ByteView bytes) {
  size_ = bytes.empty() ? size_ : std::max(size_, offset + bytes.size());
  while (!bytes.empty()) {
    const std::size_t begin = offset % kPageSize;
    const std::size_t count = std::min(bytes.size(), kPageSize - begin);
    write_page(offset / kPageSize, begin, bytes.first(count));
    offset += count;
    bytes = bytes.subspan(count);
  }
}

void SimFileContents::truncate(std::uint64_t size) {
  if (size < size_) {
    const std::uint64_t kept = pages_for(size);
    pages_.erase(pages_.lower_bound(kept), pages_.end());
    dirty_.erase(dirty_.lower_bound(kept), dirty_.end());
    reserved_pages_ = std::min(reserved_pages_, kept);
    const std::size_t tail = size % kPageSize;
    if (tail != 0 && pages_.contains(size / kPageSize)) {
      // Should the file grow again, what was cut off must read as zeros.
      const std::array<std::byte, kPageSize> zeros{};
      write_page(size / kPageSize, tail, ByteView(zeros).first(kPageSize - tail));
    }
    cut_ = std::min(cut_, size);
  }
  size_ = size;
}

void SimFileContents::preallocate(std::uint64_t size) {
  reserved_pages_ = std::max(reserved_pages_, pages_for(size));
  size_ = std::max(size_, size);
}

void SimFileContents::set_durable(std::uint64_t index, PageRef page) {
  if (page) {
    durable_pages_[index] = std::move(page);
  } else {
    durable_pages_.erase(index);
  }
}

void SimFileContents::make_durable(std::uint64_t index) {
  set_durable(index, find(pages_, index));
}

// Pages that a truncation removed and nothing wrote since.
void SimFileContents::drop_durable_beyond_cut() {
  auto at = durable_pages_.lower_bound(pages_for(cut_));
  while (at != durable_pages_.end()) {
    at = pages_.contains(at->first) ? std::next(at) : durable_pages_.erase(at);
  }
}

void SimFileContents::sync() {
  drop_durable_beyond_cut();
  for (const auto& [index, versions] : dirty_) {
    make_durable(index);
  }
  dirty_.clear();
  durable_size_ = size_;
  durable_reserved_pages_ = reserved_pages_;
  cut_ = size_;
}

void SimFileContents::sync_range(std::uint64_t offset, std::size_t size) {
  drop_durable_beyond_cut();
  for (std::uint64_t index = offset / kPageSize; index < pages_for(offset + size); ++index) {
    make_durable(index);
    dirty_.erase(index);
  }
  durable_size_ = size_;
  durable_reserved_pages_ = reserved_pages_;
  cut_ = size_;
}

void SimFileContents::fail_sync(os::Random& random) {
  for (const auto& [index, versions] : dirty_) {
    if (random.below(2) == 0) {
      make_durable(index);
    }
  }
  dirty_.clear();
}

SimFileContents::PageRef SimFileContents::survivor(const PageRef& old,
                                                   const std::vector<PageRef>& versions,
                                                   os::Random& random) {
  const auto any_version = [&] {
    const std::uint64_t pick = random.below(versions.size() + 1);
    return pick == 0 ? old : versions[pick - 1];
  };
  const std::uint64_t roll = random.below(100);
  if (roll < 40) {
    return versions.back();
  }
  if (roll < 70) {
    return old;
  }
  if (roll < 80) {
    return any_version();
  }
  static const PageRef zeros = make_ref<Page>();
  const auto bytes_of = [](const PageRef& page) { return (page ? page : zeros)->bytes.data(); };
  const auto torn = make_ref<Page>();
  for (std::size_t at = 0; at < kPageSize; at += kSectorSize) {
    std::memcpy(torn->bytes.data() + at, bytes_of(any_version()) + at, kSectorSize);
    // Garbage only where something was being written: a sector that no version changed is safe.
    const bool changed = std::any_of(versions.begin(), versions.end(), [&](const PageRef& version) {
      return std::memcmp(bytes_of(version) + at, bytes_of(old) + at, kSectorSize) != 0;
    });
    if (roll >= 95 && changed && random.below(4) == 0) {
      for (std::size_t i = 0; i < kSectorSize; i += sizeof(std::uint64_t)) {
        store_le(torn->bytes.data() + at + i, random.next());
      }
    }
  }
  return torn;
}

void SimFileContents::crash(os::Random& random, CrashMood mood) {
  const auto lucky = [&] {
    return mood == CrashMood::kKeepAll || (mood == CrashMood::kMixed && random.below(2) == 0);
  };
  const bool size_kept = lucky();
  if (size_kept) {
    drop_durable_beyond_cut();
    durable_reserved_pages_ = reserved_pages_;
  }
  for (const auto& [index, versions] : dirty_) {
    if (mood == CrashMood::kKeepAll) {
      make_durable(index);
    } else if (mood == CrashMood::kMixed) {
      set_durable(index, survivor(find(durable_pages_, index), versions, random));
    }
  }
  if (size_kept) {
    durable_size_ = size_;
  } else if (mood == CrashMood::kMixed && size_ > durable_size_ && random.below(3) == 0) {
    durable_size_ += random.below(size_ - durable_size_);
  }
  // Truncating removes what lies past the size that survived.
  const std::uint64_t size = durable_size_;
  pages_ = durable_pages_;
  reserved_pages_ = durable_reserved_pages_;
  size_ = std::max(size, pages_.empty() ? 0 : (pages_.rbegin()->first + 1) * kPageSize);
  dirty_.clear();
  cut_ = size_;
  truncate(size);
  sync();
}

}  // namespace penstock::testing
