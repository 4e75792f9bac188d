#include "schema/extract_plan.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <memory>

namespace penstock {

namespace {

// The tree as it grows; compile() lays it out breadth first, so that children are neighbours.
struct Branch {
  std::uint32_t slot = ExtractPlan::kNone;
  std::map<std::string, std::unique_ptr<Branch>> children;
};

Branch& descend(Branch& from, const std::vector<std::string>& tokens) {
  Branch* at = &from;
  for (const std::string& token : tokens) {
    std::unique_ptr<Branch>& child = at->children[token];
    if (child == nullptr) {
      child = std::make_unique<Branch>();
    }
    at = child.get();
  }
  return *at;
}

void collect_slots(const Branch& branch, std::vector<std::uint32_t>& slots) {
  for (const auto& [name, child] : branch.children) {
    if (child->slot != ExtractPlan::kNone) {
      slots.push_back(child->slot);
    }
    collect_slots(*child, slots);
  }
}

std::uint32_t array_index(std::string_view token) {
  std::uint32_t index = 0;
  const char* const end = token.data() + token.size();
  const auto [at, error] = std::from_chars(token.data(), end, index);
  const bool canonical = token == "0" || (!token.empty() && token.front() != '0');
  return error == std::errc() && at == end && canonical ? index : ExtractPlan::kNone;
}

std::uint64_t name_head(std::string_view name) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(name.size(), 8); ++i) {
    head |= std::uint64_t{static_cast<unsigned char>(name[i])} << (8 * i);
  }
  return head;
}

std::uint32_t size32(const auto& container) {
  return static_cast<std::uint32_t>(container.size());
}

}  // namespace

ExtractPlan ExtractPlan::compile(std::span<const JsonPointer> pointers) {
  ExtractPlan plan;
  plan.size_ = pointers.size();
  Branch root;
  for (std::uint32_t slot = 0; slot < pointers.size(); ++slot) {
    Branch& branch = descend(root, pointers[slot].tokens());
    if (branch.slot == kNone) {
      branch.slot = slot;
    } else {
      plan.repeated_.emplace_back(slot, branch.slot);
    }
  }

  std::deque<const Branch*> open{&root};
  for (std::size_t i = 0; !open.empty(); ++i, open.pop_front()) {
    const Branch& branch = *open.front();
    Node node = plan.nodes_[i];
    node.slot = branch.slot;
    node.below_begin = size32(plan.slots_below_);
    collect_slots(branch, plan.slots_below_);
    node.below_end = size32(plan.slots_below_);
    node.child_begin = size32(plan.nodes_);
    for (const auto& [name, child] : branch.children) {
      node.child_sizes |= std::uint64_t{1} << name.size() % 64;
      Node below;
      below.name_head = name_head(name);
      below.name_begin = size32(plan.names_);
      below.name_size = size32(name);
      below.array_index = array_index(name);
      plan.names_ += name;
      plan.nodes_.push_back(below);
      open.push_back(child.get());
    }
    node.child_end = size32(plan.nodes_);
    plan.nodes_[i] = node;
  }
  return plan;
}

}  // namespace penstock
