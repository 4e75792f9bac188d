// RefCounted and Ref: shared ownership of a buffer by threads that do not know of each other.
//
// The log's in-memory tail is read by stream and sink threads while the writer recycles buffers;
// a reader pins what it reads with a Ref. Not for object graphs: those have one owner.
//
// Threads   Refs to one object may be copied and destroyed on any thread.
// Lifetime  the object is deleted by the last Ref, on that thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "core/check.h"

namespace penstock {

// Protected and virtual: only the last Ref deletes.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor)
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void add_ref() const { count_.fetch_add(1, std::memory_order_relaxed); }

  void drop_ref() const {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete this;
    }
  }

  // True if the caller's Ref is the only one: the object may be reused.
  [[nodiscard]] bool has_one_ref() const { return count_.load(std::memory_order_acquire) == 1; }

 protected:
  virtual ~RefCounted() = default;

 private:
  mutable std::atomic<std::uint32_t> count_{0};
};

template <typename T>
class Ref {
 public:
  Ref() = default;

  explicit Ref(T* object) : object_(object) { add(); }

  Ref(const Ref& other) : object_(other.object_) { add(); }

  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}

  template <typename U>

  // NOLINTNEXTLINE(google-explicit-constructor): as a pointer converts to its base's
  requires std::is_convertible_v<U*, T*> Ref(const Ref<U>& other) : object_(other.get()) { add(); }

  ~Ref() {
    if (object_ != nullptr) {
      object_->drop_ref();
    }
  }

  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }

  [[nodiscard]] T* get() const { return object_; }

  T& operator*() const { return *object_; }

  T* operator->() const { return object_; }

  explicit operator bool() const { return object_ != nullptr; }

 private:
  void add() {
    if (object_ != nullptr) {
      object_->add_ref();
    }
  }

  T* object_ = nullptr;
};

template <typename T, typename... Args>
[[nodiscard]] Ref<T> make_ref(Args&&... args) {
  return Ref<T>(new T(std::forward<Args>(args)...));
}

}  // namespace penstock
