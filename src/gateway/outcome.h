// Outcome is what became of the events of one request; its JSON is the answer.
//
// Threads   belongs to one request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::gateway {

// Why an event became a dead letter.
enum class DeadLetterReason : std::uint8_t {
  kInvalidJson,
  kInvalidUtf8,
  kTooDeep,
  kTooLarge,
  kNotAnObject,
  kMissingKey,
};

inline constexpr std::size_t kDeadLetterReasonCount = 6;

// "invalid_json", "invalid_utf8", "too_deep", "too_large", "not_an_object", "missing_key".
[[nodiscard]] std::string_view to_string(DeadLetterReason reason);

struct Outcome {
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;
  std::array<std::uint32_t, kDeadLetterReasonCount> dead_letters{};
  std::uint32_t timestamps_missing = 0;     // the time of arrival took their place
  std::uint32_t timestamps_unreadable = 0;  // likewise
  std::uint32_t timestamps_ahead = 0;       // likewise
  std::uint32_t errors_listed = 0;
  std::string errors;  // the list's JSON objects, with commas between

  [[nodiscard]] std::uint64_t dead_lettered() const;

  // Events counted so far: the next one's index.
  [[nodiscard]] std::uint64_t event_count() const {
    return accepted + duplicates + dead_lettered();
  }

  // Counts a dead letter and lists it, if fewer than `errors_max` are listed.
  void add_dead_letter(DeadLetterReason reason, std::uint64_t index, std::string_view message,
                       std::size_t errors_max);

  // {"accepted":n,"duplicates":n,"dead_lettered":n,"errors":[...]}; where not all are listed, also
  // "errors_omitted":n.
  void append_json(std::string& to) const;
};

}  // namespace penstock::gateway
