// MemoryBudget is a number of bytes that several threads take from and give back.
//
// It bounds what is buffered for requests on all event loops together. Taking is one atomic
// addition per request or larger piece, never per event. A Share gives back what it took.
//
// Invariants
//   I1  used() is the sum of all live Shares, and at most limit() but for what force_to() took.
// Threads   MemoryBudget from any thread; one Share belongs to one thread at a time.
// Lifetime  the budget outlives its Shares.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace penstock {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t limit) : limit_(limit) {}

  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  [[nodiscard]] bool try_take(std::size_t size) {
    std::size_t used = used_.load(std::memory_order_relaxed);
    do {
      if (used > limit_ || size > limit_ - used) {
        return false;
      }
    } while (!used_.compare_exchange_weak(used, used + size, std::memory_order_relaxed));
    return true;
  }

  void give_back(std::size_t size) { used_.fetch_sub(size, std::memory_order_relaxed); }

  [[nodiscard]] std::size_t used() const { return used_.load(std::memory_order_relaxed); }

  [[nodiscard]] std::size_t limit() const { return limit_; }

  class Share {
   public:
    explicit Share(MemoryBudget& budget) : budget_(&budget) {}

    Share(Share&& other) noexcept : budget_(other.budget_), size_(std::exchange(other.size_, 0)) {}

    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(size_, other.size_);
      return *this;
    }

    ~Share() { resize_down(0); }

    // Takes what is missing up to `size`; false (and nothing changed) if the budget has less.
    [[nodiscard]] bool grow_to(std::size_t size) {
      if (size > size_) {
        if (!budget_->try_take(size - size_)) {
          return false;
        }
        size_ = size;
      }
      return true;
    }

    // The same for memory that is in use already: the limit may be passed, and nobody else is given
    // any until enough has come back.
    void force_to(std::size_t size) {
      if (size > size_) {
        budget_->used_.fetch_add(size - size_, std::memory_order_relaxed);
        size_ = size;
      }
    }

    void resize_down(std::size_t size) {
      if (size < size_) {
        budget_->give_back(size_ - size);
        size_ = size;
      }
    }

    [[nodiscard]] std::size_t size() const { return size_; }

   private:
    MemoryBudget* budget_;
    std::size_t size_ = 0;
  };

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace penstock
