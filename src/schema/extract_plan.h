// ExtractPlan is a set of JSON Pointers compiled for one pass over a document.
//
// The pointers become a tree of names; the walker goes down the document and the tree together.
// Values come back in the order of the pointers given to compile(); a pointer may occur twice.
// Where a document has a name twice in one object, the last one counts, as in JavaScript and Python
// (also for what lies below it).
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
  ExtractPlan() : nodes_(1) {}

  [[nodiscard]] static ExtractPlan compile(std::span<const JsonPointer> pointers);

  // How many values each document gives: one per pointer.
  [[nodiscard]] std::size_t size() const { return size_; }

  // From here on: the tree, for the walker.

  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Node {
    std::uint64_t name_head = 0;    // first 8 bytes of the name, little-endian, zeros behind
    std::uint64_t child_sizes = 0;  // bit size % 64 is set for the name of each child
    std::uint32_t name_begin = 0;   // in names_
    std::uint32_t name_size = 0;
    std::uint32_t array_index = kNone;  // the name as the number of an element, if it is one
    std::uint32_t slot = kNone;         // where its value goes, if it is asked for itself
    std::uint32_t child_begin = 0;      // children are neighbours in nodes_
    std::uint32_t child_end = 0;
    std::uint32_t below_begin = 0;  // in slots_below_: what a duplicate of this value takes back
    std::uint32_t below_end = 0;

    [[nodiscard]] bool is_leaf() const { return child_begin == child_end; }
  };

  [[nodiscard]] const Node& root() const { return nodes_.front(); }

  [[nodiscard]] std::span<const Node> children(const Node& node) const {
    return {nodes_.data() + node.child_begin, nodes_.data() + node.child_end};
  }

  [[nodiscard]] std::string_view name(const Node& node) const {
    return {names_.data() + node.name_begin, node.name_size};
  }

  [[nodiscard]] std::span<const std::uint32_t> slots_below(const Node& node) const {
    return {slots_below_.data() + node.below_begin, slots_below_.data() + node.below_end};
  }

  // Slots whose pointer occurred before, with the slot of that one: {slot, earlier}.
  [[nodiscard]] std::span<const std::pair<std::uint32_t, std::uint32_t>> repeated() const {
    return repeated_;
  }

 private:
  std::size_t size_ = 0;
  std::vector<Node> nodes_;
  std::string names_;
  std::vector<std::uint32_t> slots_below_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> repeated_;
};

}  // namespace penstock
