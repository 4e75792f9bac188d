// DedupWindow remembers the last ids, so that an event that is sent again is not taken again.
//
// Bounded by count (the oldest go first) and time. An id is claimed by the append that brings it,
// and counts as known only once that append is durable: whoever meets it before has to wait for
// that append, and if it fails its ids are free again. docs/adr/0017-deduplication.md.
//
// A ring of entries in the order of arrival (24 bytes each) and a hash table of fingerprints and
// ring positions over it (8 bytes a slot, linear probing, between a quarter and half full): 40 to
// 56 bytes per remembered id. Memory grows with use, in doublings, up to the limit.
//
// Invariants
//   I1  At most `count_max` ids are remembered; of more, the newest. Claims that came to nothing
//       take the place of an eighth of them at most, beside those not settled yet.
//   I2  An id that an append claimed is known from then on until it goes by count or time, or that
//       append fails.
// Threads   none of its own: shared as Guarded<DedupWindow>, locked once per request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/guarded.h"
#include "core/strong_id.h"
#include "core/unique_function.h"
#include "gateway/gateway.h"
#include "gateway/id_hash.h"

namespace penstock::gateway {

class DedupWindow {
 public:
  // An append as this window knows it.
  using AppendId = StrongId<struct AppendIdTag, std::uint32_t>;

  enum class Claim {
    kNew,        // now the caller's append's
    kDuplicate,  // known and durable
    kOwn,        // claimed before by the same append: a duplicate once that is durable
    kPending,    // claimed by another append that is not durable yet: wait for it
  };

  struct ClaimResult {
    Claim claim;
    AppendId holder;  // kPending: whose it is
  };

  // Told that an append is settled. Runs on another thread: must only hand over.
  using Waiter = UniqueFunction<void()>;

  explicit DedupWindow(const WindowOptions& options);

  // An append begins to claim ids. settle() must follow.
  [[nodiscard]] AppendId begin_append();

  // Seconds are of the wall clock.
  [[nodiscard]] ClaimResult claim(const IdHash& id, AppendId append, std::int64_t now_seconds);

  // Undoes a kNew of an append that is not settled.
  void give_up(const IdHash& id, AppendId append);

  // Fetches what claim() will look at; call it a few ids ahead.
  void prefetch(const IdHash& id) const {
    __builtin_prefetch(table_.data() + (fingerprint(id) & table_mask_));
  }

  // `append` is not settled.
  void wait_for(AppendId append, Waiter waiter);

  // The append is durable, or has failed. Returns who waited for it; call them outside of the lock.
  [[nodiscard]] std::vector<Waiter> settle(AppendId append, bool durable);

  // Remembers a durable id of an earlier run. Call in the order of time.
  void restore(const IdHash& id, std::int64_t seconds);

  [[nodiscard]] std::size_t size() const { return live_count_; }

  [[nodiscard]] std::size_t memory_bytes() const {
    return ring_.size() * sizeof(Entry) + table_.size() * sizeof(Slot);
  }

 private:
  struct Entry {
    IdHash id;
    std::uint32_t seconds = 0;
    std::uint32_t append = 0;
  };

  struct Slot {
    std::uint32_t fingerprint = 0;
    std::uint32_t position = kEmpty;  // in ring_
  };

  struct InFlight {
    AppendId append;
    std::uint64_t first;  // no claim of it has a lower sequence number
    std::vector<Waiter> waiters;
  };

  static constexpr std::uint32_t kEmpty = 0xffffffff;
  static constexpr std::uint32_t kDurable = 0;
  static constexpr std::uint32_t kFreed = 0xffffffff;  // an entry that no slot points to

  [[nodiscard]] static std::uint32_t fingerprint(const IdHash& id) {
    return static_cast<std::uint32_t>(id.low);
  }

  [[nodiscard]] std::size_t find(const IdHash& id) const;
  [[nodiscard]] InFlight* in_flight(std::uint32_t append);
  void insert(const IdHash& id, std::uint32_t append, std::uint32_t seconds);
  void drop_oldest();
  void erase_slot(std::size_t slot);
  void put_slot(const IdHash& id, std::uint32_t position);
  void resize(std::size_t capacity);

  Entry& entry(std::uint64_t sequence) { return ring_[sequence % ring_.size()]; }

  const WindowOptions options_;
  std::vector<Entry> ring_;
  std::uint64_t begin_ = 0;  // sequence numbers: the oldest entry,
  std::uint64_t end_ = 0;    // and where the next one goes
  std::vector<Slot> table_;
  std::size_t table_mask_ = 0;
  std::size_t live_count_ = 0;
  std::uint32_t next_append_ = 1;
  std::vector<InFlight> in_flight_;  // one or two per event loop
};

using SharedWindow = Guarded<DedupWindow>;

}  // namespace penstock::gateway
