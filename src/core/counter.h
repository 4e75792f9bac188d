// Counter and Flag: one number or one yes/no that several threads read and write without a lock.
//
// For progress, metrics and stop requests; nothing else may be concluded from their order.
//
// Threads   any.
#pragma once

#include <atomic>
#include <cstdint>

namespace penstock {

class Counter {
 public:
  void add(std::uint64_t count) { value_.fetch_add(count, std::memory_order_relaxed); }

  void sub(std::uint64_t count) { value_.fetch_sub(count, std::memory_order_relaxed); }

  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }

  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Flag {
 public:
  void raise() { raised_.store(true, std::memory_order_release); }

  void lower() { raised_.store(false, std::memory_order_release); }

  [[nodiscard]] bool raised() const { return raised_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> raised_{false};
};

}  // namespace penstock
