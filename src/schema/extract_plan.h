// ExtractPlan is a set of JSON Pointers compiled for one pass over a document.
//
// The pointers become a tree of names; the scanner walks down the document and the tree together.
// Values come back in the order of the pointers given to compile(). The same pointer may occur
// twice. Where a document has a name twice in one object, the last one counts, as in JavaScript and
// Python (also for what lies below it).
//
// Threads   immutable: any number of scanners may use one plan at the same time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/json_pointer.h"

namespace penstock {

class ExtractPlan {
 public:
  // A plan that extracts nothing: for validation only.
  ExtractPlan();

  [[nodiscard]] static ExtractPlan compile(std::span<const JsonPointer> pointers);

  // How many values each document gives: one per pointer.
  [[nodiscard]] std::size_t size() const { return size_; }

  // The tree is the scanner's business.
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Node {
    std::string name;
    std::uint32_t slot = kNone;         // where its value goes, if it is asked for itself
    std::uint32_t array_index = kNone;  // `name` as an element's number, if it is one
    std::uint32_t child_begin = 0;      // children are contiguous in nodes()
    std::uint32_t child_end = 0;
    std::uint64_t child_sizes = 0;  // bit min(size, 63) set for each child's name
    bool has_array_children = false;
    std::vector<std::uint32_t> slots_below;  // reset when a later duplicate replaces this value
  };

  // The root is the first.
  [[nodiscard]] std::span<const Node> nodes() const { return nodes_; }

  // Slots that repeat another one: {from, to}.
  [[nodiscard]] std::span<const std::pair<std::uint32_t, std::uint32_t>> repeated() const {
    return repeated_;
  }

 private:
  std::size_t size_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> repeated_;
};

}  // namespace penstock
