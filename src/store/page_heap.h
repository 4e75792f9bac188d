// PageHeap keeps the first entries of a page out of many, in the order of answers.
//
// A page is what follows `after`, at most `limit` entries, and one more to know that there is more.
// Offered entries are kept in a heap with the last one on top, so most offers are refused after one
// comparison, before anything of them is copied.
#pragma once

#include <algorithm>
#include <compare>
#include <optional>
#include <utility>
#include <vector>

#include "store/state_store.h"

namespace penstock::store {

// Answers are sorted by key, then by window.
[[nodiscard]] inline std::strong_ordering compare_positions(KeyView left_key, Timestamp left_start,
                                                            KeyView right_key,
                                                            Timestamp right_start) {
  const std::strong_ordering order = compare_keys(left_key, right_key);
  return order == std::strong_ordering::equal ? left_start <=> right_start : order;
}

// `Payload` is what an entry holds beside its position.
template <typename Payload>
class PageHeap {
 public:
  struct Found {
    ScanPosition position;
    Payload payload;
  };

  PageHeap(std::optional<ScanPosition> after, std::size_t limit)
      : after_(std::move(after)), limit_(limit) {}

  [[nodiscard]] bool wants(KeyView key, Timestamp start) const {
    const auto follows = [&](const ScanPosition& position) {
      return compare_positions(position.key.view(), position.window_start, key, start) ==
             std::strong_ordering::less;
    };
    if (!follows_last_page(key, start)) {
      return false;
    }
    return found_.size() <= limit_ || !follows(found_.front().position);
  }

  // Whether the position comes behind the page before this one.
  [[nodiscard]] bool follows_last_page(KeyView key, Timestamp start) const {
    return !after_.has_value() || compare_positions(after_->key.view(), after_->window_start, key,
                                                    start) == std::strong_ordering::less;
  }

  // What wants() has said true to.
  void add(KeyView key, Timestamp start, Payload payload) {
    ScanPosition position{{Bytes(key.bytes.begin(), key.bytes.end()), key.tag}, start};
    found_.push_back({std::move(position), std::move(payload)});
    std::ranges::push_heap(found_, before);
    if (found_.size() > limit_ + 1) {
      std::ranges::pop_heap(found_, before);
      found_.pop_back();
    }
  }

  [[nodiscard]] bool is_full() const { return found_.size() > limit_; }

  // Sorted; the heap is empty after it.
  [[nodiscard]] std::vector<Found> take() {
    std::ranges::sort_heap(found_, before);
    return std::exchange(found_, {});
  }

 private:
  [[nodiscard]] static bool before(const Found& left, const Found& right) {
    return compare_positions(left.position.key.view(), left.position.window_start,
                             right.position.key.view(),
                             right.position.window_start) == std::strong_ordering::less;
  }

  std::optional<ScanPosition> after_;
  std::size_t limit_;
  std::vector<Found> found_;
};

}  // namespace penstock::store
