// StructuralIndex finds where the tokens of JSON text begin. Room-private.
//
// Two ways to the same answer. index() is simdjson's stage 1: over 10 GB/s, but a string that is
// not closed, or has a control character in it, shifts everything behind it, and stage 1 does not
// say where. index_value() is a plain loop for text that index() called damaged: it indexes one
// value and stops at the damage. We use simdjson's internal interface for stage 1, so its version
// is pinned.
//
// Positions are relative to the text. Behind the last one lie kSentinels more that are the text's
// end, so that the walker may read ahead without asking for it.
//
// Threads   belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace penstock {

class StructuralIndex {
 public:
  static constexpr std::size_t kSentinels = 4;

  enum class Text {
    kClean,    // UTF-8, and every string is closed and free of control characters
    kBadUtf8,  // clean but for bytes somewhere that are no UTF-8
    kDamaged,  // no positions: go on with index_value()
  };

  // What ended index_value().
  enum class Stop { kComplete, kTextEnd, kControlCharacter };

  StructuralIndex();
  ~StructuralIndex();

  // At most 4 GiB. Only as many bytes as `text` has are read.
  [[nodiscard]] Text index(std::string_view text);

  // Indexes the value that `text` begins with: up to its closing bracket, or one token; what lies
  // behind counts as behind the text. The bytes are not checked for UTF-8.
  [[nodiscard]] Stop index_value(std::string_view text);

  // After kControlCharacter: its position.
  [[nodiscard]] std::size_t stop_position() const { return stop_position_; }

  // Behind it lie the sentinels.
  [[nodiscard]] const std::uint32_t* begin() const { return begin_; }

  [[nodiscard]] const std::uint32_t* end() const { return end_; }

  // The position of the first byte that is no UTF-8; the size if all are.
  [[nodiscard]] static std::size_t find_bad_utf8(std::string_view text);

  // What this machine's stage 1 is made of: "icelake", "haswell", "westmere", "arm64", ...
  [[nodiscard]] static std::string_view implementation();

 private:
  class Stage1;

  void finish(std::uint32_t* end, std::size_t size);

  std::unique_ptr<Stage1> stage1_;
  std::uint32_t* begin_ = nullptr;
  std::uint32_t* end_ = nullptr;
  std::size_t stop_position_ = 0;
};

}  // namespace penstock
