// StrongId makes a distinct integer type of each kind of id: no mixing, no implicit conversion.
//
//   using PartitionId = StrongId<struct PartitionIdTag, std::int32_t>;
//
// Ordered, hashable, explicit to make, `.value()` to leave. Position-like ids (offsets) add
// arithmetic through StrongPosition: position + count, position - position.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace penstock {

template <typename Tag, typename Number>
class StrongId {
 public:
  using number_type = Number;

  constexpr StrongId() = default;

  explicit constexpr StrongId(Number value) : value_(value) {}

  [[nodiscard]] constexpr Number value() const { return value_; }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;  // NOLINT(modernize-use-nullptr)

 private:
  Number value_{};
};

template <typename Tag>
class StrongPosition {
 public:
  using number_type = std::int64_t;

  constexpr StrongPosition() = default;

  explicit constexpr StrongPosition(std::int64_t value) : value_(value) {}

  [[nodiscard]] constexpr std::int64_t value() const { return value_; }

  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend constexpr auto operator<=>(StrongPosition, StrongPosition) = default;

  friend constexpr StrongPosition operator+(StrongPosition position, std::int64_t count) {
    return StrongPosition(position.value_ + count);
  }

  friend constexpr std::int64_t operator-(StrongPosition left, StrongPosition right) {
    return left.value_ - right.value_;
  }

  constexpr StrongPosition& operator+=(std::int64_t count) {
    value_ += count;
    return *this;
  }

 private:
  std::int64_t value_{};
};

template <typename Tag, typename Number>
[[nodiscard]] std::string to_string(StrongId<Tag, Number> id) {
  return std::to_string(id.value());
}

template <typename Tag>
[[nodiscard]] std::string to_string(StrongPosition<Tag> position) {
  return std::to_string(position.value());
}

}  // namespace penstock

template <typename Tag, typename Number>
struct std::hash<penstock::StrongId<Tag, Number>> {
  std::size_t operator()(penstock::StrongId<Tag, Number> id) const noexcept {
    return std::hash<Number>{}(id.value());
  }
};

template <typename Tag>
struct std::hash<penstock::StrongPosition<Tag>> {
  std::size_t operator()(penstock::StrongPosition<Tag> position) const noexcept {
    return std::hash<std::int64_t>{}(position.value());
  }
};
