#include "gateway/dedup_window.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/check.h"

namespace penstock::gateway {

namespace {

constexpr std::size_t kFirstCapacity = 1024;
constexpr std::size_t kNotFound = static_cast<std::size_t>(-1);

// Ids that went by time are cleaned up a few at a time, so that no request pays for all.
constexpr int kExpiredPerInsert = 4;

// A full ring is cleared of freed entries once they are this part of it: rarely enough that an
// insertion pays for eight moves.
constexpr std::size_t kFreedShare = 8;

}  // namespace

DedupWindow::DedupWindow(const WindowOptions& options) : options_(options) {
  PENSTOCK_CHECK(options.count_max > 0 && options.count_max <= (std::size_t{1} << 30));
  ring_.resize(std::min(kFirstCapacity, options.count_max));
  table_.resize(std::bit_ceil(2 * ring_.size()));
  table_mask_ = table_.size() - 1;
}

DedupWindow::AppendId DedupWindow::begin_append() {
  const AppendId append(next_append_++);
  if (next_append_ == kFreed) {
    next_append_ = 1;  // after four billion appends; entries that old are durable
  }
  in_flight_.push_back({append, end_, {}});
  return append;
}

DedupWindow::ClaimResult DedupWindow::claim(const IdHash& id, AppendId append,
                                            std::int64_t now_seconds) {
  const auto now = static_cast<std::uint32_t>(std::max<std::int64_t>(0, now_seconds));
  const auto oldest_allowed =
      now - std::min<std::int64_t>(now, static_cast<std::int64_t>(options_.time_max.count()));
  const std::size_t slot = find(id);
  if (slot != kNotFound) {
    Entry& found = ring_[table_[slot].position];
    if (found.append == append.value()) {
      return {Claim::kOwn, append};
    }
    if (in_flight(found.append) != nullptr) {
      return {Claim::kPending, AppendId(found.append)};
    }
    if (found.seconds >= oldest_allowed) {
      return {Claim::kDuplicate, append};
    }
    found.append = kFreed;
    erase_slot(slot);
  }
  for (int i = 0; i < kExpiredPerInsert && begin_ < end_; ++i) {
    if (entry(begin_).append != kFreed && entry(begin_).seconds >= oldest_allowed) {
      break;
    }
    drop_oldest();
  }
  insert(id, append.value(), now);
  return {Claim::kNew, append};
}

void DedupWindow::give_up(const IdHash& id, AppendId append) {
  const std::size_t slot = find(id);
  if (slot != kNotFound && ring_[table_[slot].position].append == append.value()) {
    ring_[table_[slot].position].append = kFreed;
    erase_slot(slot);
  }
}

void DedupWindow::wait_for(AppendId append, Waiter waiter) {
  InFlight* const holder = in_flight(append.value());
  PENSTOCK_CHECK(holder != nullptr);
  holder->waiters.push_back(std::move(waiter));
}

std::vector<DedupWindow::Waiter> DedupWindow::settle(AppendId append, bool durable) {
  InFlight* const settled = in_flight(append.value());
  PENSTOCK_CHECK(settled != nullptr);
  if (!durable) {
    for (std::uint64_t at = std::max(settled->first, begin_); at < end_; ++at) {
      Entry& claimed = entry(at);
      if (claimed.append == append.value()) {
        erase_slot(find(claimed.id));
        claimed.append = kFreed;
      }
    }
  }
  std::vector<Waiter> waiters = std::move(settled->waiters);
  std::swap(*settled, in_flight_.back());
  in_flight_.pop_back();
  return waiters;
}

void DedupWindow::restore(const IdHash& id, std::int64_t seconds) {
  if (find(id) == kNotFound) {
    insert(id, kDurable, static_cast<std::uint32_t>(std::max<std::int64_t>(0, seconds)));
  }
}

std::size_t DedupWindow::find(const IdHash& id) const {
  const std::uint32_t wanted = fingerprint(id);
  for (std::size_t at = wanted & table_mask_;; at = (at + 1) & table_mask_) {
    const Slot& slot = table_[at];
    if (slot.position == kEmpty) {
      return kNotFound;
    }
    if (slot.fingerprint == wanted && ring_[slot.position].id == id) {
      return at;
    }
  }
}

DedupWindow::InFlight* DedupWindow::in_flight(std::uint32_t append) {
  const auto found =
      std::find_if(in_flight_.begin(), in_flight_.end(),
                   [&](const InFlight& candidate) { return candidate.append.value() == append; });
  return found == in_flight_.end() ? nullptr : &*found;
}

void DedupWindow::insert(const IdHash& id, std::uint32_t append, std::uint32_t seconds) {
  if (end_ - begin_ == ring_.size()) {
    const std::size_t freed_count = ring_.size() - live_count_;
    if (ring_.size() < options_.count_max) {
      resize(std::min(2 * ring_.size(), options_.count_max));
    } else if (freed_count * kFreedShare >= ring_.size()) {
      resize(ring_.size());
    } else {
      drop_oldest();
    }
  }
  const std::uint64_t sequence = end_++;
  entry(sequence) = {id, seconds, append};
  put_slot(id, static_cast<std::uint32_t>(sequence % ring_.size()));
  ++live_count_;
}

void DedupWindow::drop_oldest() {
  const Entry& oldest = entry(begin_);
  if (oldest.append != kFreed) {
    erase_slot(find(oldest.id));
  }
  ++begin_;
}

void DedupWindow::put_slot(const IdHash& id, std::uint32_t position) {
  std::size_t at = fingerprint(id) & table_mask_;
  while (table_[at].position != kEmpty) {
    at = (at + 1) & table_mask_;
  }
  table_[at] = {fingerprint(id), position};
}

// Closes the gap, so that probing needs no tombstones: each following slot that may lie in the gap
// moves into it. Source: Knuth, TAOCP volume 3, algorithm 6.4 R.
void DedupWindow::erase_slot(std::size_t slot) {
  PENSTOCK_CHECK(slot != kNotFound);
  std::size_t gap = slot;
  for (std::size_t at = (gap + 1) & table_mask_; table_[at].position != kEmpty;
       at = (at + 1) & table_mask_) {
    const std::size_t home = table_[at].fingerprint & table_mask_;
    if (((at - home) & table_mask_) >= ((at - gap) & table_mask_)) {
      table_[gap] = table_[at];
      gap = at;
    }
  }
  table_[gap] = Slot();
  --live_count_;
}

// Moves what is not freed into a ring of `capacity`.
void DedupWindow::resize(std::size_t capacity) {
  std::vector<Entry> resized(capacity);
  std::uint64_t count = 0;
  for (std::uint64_t at = begin_; at < end_; ++at) {
    if (entry(at).append != kFreed) {
      resized[count++] = entry(at);
    }
  }
  ring_ = std::move(resized);
  begin_ = 0;
  end_ = count;
  for (InFlight& append : in_flight_) {
    append.first = 0;  // no later than its first claim
  }
  table_.assign(std::bit_ceil(2 * ring_.size()), Slot());
  table_mask_ = table_.size() - 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    put_slot(ring_[i].id, static_cast<std::uint32_t>(i));
  }
}

}  // namespace penstock::gateway
