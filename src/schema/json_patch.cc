#include "schema/json_patch.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "schema/json_value.h"

namespace penstock {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"add",  "remove", "replace",
                                                    "move", "copy",   "test"};

using Tokens = std::span<const std::string>;

// The place in an array: a number below `count`. "-" stands for the place behind the last.
std::optional<std::size_t> index_of(const std::string& token, std::size_t count) {
  if (token == "-") {
    return count;
  }
  std::size_t index = 0;
  const char* const end = token.data() + token.size();
  const auto [after, error] = std::from_chars(token.data(), end, index);
  const bool has_zero_in_front = token.size() > 1 && token.front() == '0';
  return error == std::errc() && after == end && !has_zero_in_front ? std::optional(index)
                                                                    : std::nullopt;
}

// Null: there is none.
JsonTree* child_of(JsonTree& parent, const std::string& token) {
  if (parent.kind != JsonTree::Kind::kArray) {
    return parent.find(token);
  }
  const auto index = index_of(token, parent.children.size());
  return index.has_value() && *index < parent.children.size() ? &parent.children[*index] : nullptr;
}

JsonTree* find(JsonTree& document, Tokens path) {
  JsonTree* at = &document;
  for (const std::string& token : path) {
    at = at == nullptr ? nullptr : child_of(*at, token);
  }
  return at;
}

// Puts `value` where `other` was, under its name.
void put(JsonTree& other, JsonTree value) {
  value.name = other.name;
  other = std::move(value);
}

bool insert(JsonTree& parent, const std::string& token, JsonTree value) {
  if (parent.kind == JsonTree::Kind::kArray) {
    const auto index = index_of(token, parent.children.size());
    if (!index.has_value() || *index > parent.children.size()) {
      return false;
    }
    value.name.clear();
    parent.children.insert(parent.children.begin() + static_cast<std::ptrdiff_t>(*index),
                           std::move(value));
    return true;
  }
  if (parent.kind != JsonTree::Kind::kObject) {
    return false;
  }
  if (JsonTree* const known = parent.find(token)) {
    put(*known, std::move(value));
  } else {
    value.name = token;
    parent.children.push_back(std::move(value));
  }
  return true;
}

bool add(JsonTree& document, Tokens path, JsonTree value) {
  if (path.empty()) {
    put(document, std::move(value));
    return true;
  }
  JsonTree* const parent = find(document, path.first(path.size() - 1));
  return parent != nullptr && insert(*parent, path.back(), std::move(value));
}

// What was there; nothing if it was not.
std::optional<JsonTree> take(JsonTree& document, Tokens path) {
  JsonTree* const taken = find(document, path);
  if (taken == nullptr || path.empty()) {
    return std::nullopt;
  }
  JsonTree* const parent = find(document, path.first(path.size() - 1));
  JsonTree value = std::exchange(*taken, JsonTree());
  parent->children.erase(parent->children.begin() + (taken - parent->children.data()));
  return value;
}

// 1, 1.0 and 1e0 are one number.
bool is_same_number(const std::string& a, const std::string& b) {
  const JsonValue left{.raw = a, .type = JsonType::kNumber};
  const JsonValue right{.raw = b, .type = JsonType::kNumber};
  return a == b || (left.as_double().has_value() && left.as_double() == right.as_double());
}

// As RFC 6902 has it: members in any order, numbers by their value.
bool is_equal(const JsonTree& a, const JsonTree& b) {
  if (a.kind != b.kind || a.children.size() != b.children.size()) {
    return false;
  }
  if (a.kind == JsonTree::Kind::kNumber) {
    return is_same_number(a.text, b.text);
  }
  for (std::size_t i = 0; i < a.children.size(); ++i) {
    const JsonTree* const same =
        a.kind == JsonTree::Kind::kObject ? b.find(a.children[i].name) : &b.children[i];
    if (same == nullptr || !is_equal(a.children[i], *same)) {
      return false;
    }
  }
  return a.text == b.text;
}

bool is_within(Tokens inner, Tokens outer) {
  return inner.size() > outer.size() && std::equal(outer.begin(), outer.end(), inner.begin());
}

}  // namespace

Result<JsonPatch> JsonPatch::parse(std::string_view json) {
  PENSTOCK_TRY_ASSIGN(const JsonTree operations, parse_json(json));
  return from(operations);
}

Result<JsonPatch> JsonPatch::from(const JsonTree& operations) {
  if (operations.kind != JsonTree::Kind::kArray) {
    return Error(ErrorCode::kInvalid, "a patch is a list of operations (RFC 6902)");
  }
  JsonPatch patch;
  for (const JsonTree& each : operations.children) {
    auto operation = read(each);
    if (!operation) {
      return operation.error().with("operation " + std::to_string(patch.operations_.size()));
    }
    patch.operations_.push_back(*std::move(operation));
  }
  return patch;
}

Result<JsonPatch::Operation> JsonPatch::read(const JsonTree& operation) {
  const auto text = [&](std::string_view name) -> const std::string* {
    const JsonTree* const member = operation.find(name);
    return member != nullptr && member->kind == JsonTree::Kind::kString ? &member->text : nullptr;
  };
  const std::string* const op = text("op");
  const auto known =
      op == nullptr ? kNames.end() : std::find(kNames.begin(), kNames.end(), std::string_view(*op));
  if (known == kNames.end()) {
    return Error(ErrorCode::kInvalid, "\"op\" must be add, remove, replace, move, copy or test");
  }
  const Kind kind = static_cast<Kind>(known - kNames.begin());
  if (text("path") == nullptr) {
    return Error(ErrorCode::kInvalid, "\"path\" is missing");
  }
  PENSTOCK_TRY_ASSIGN(JsonPointer path, JsonPointer::parse(*text("path")));
  const bool needs_from = kind == Kind::kMove || kind == Kind::kCopy;
  if (needs_from && text("from") == nullptr) {
    return Error(ErrorCode::kInvalid, "\"from\" is missing");
  }
  PENSTOCK_TRY_ASSIGN(JsonPointer from, JsonPointer::parse(needs_from ? *text("from") : ""));
  const JsonTree* const value = operation.find("value");
  if (value == nullptr && !needs_from && kind != Kind::kRemove) {
    return Error(ErrorCode::kInvalid, "\"value\" is missing");
  }
  return Operation{kind, std::move(path), std::move(from), value == nullptr ? JsonTree() : *value};
}

Result<std::string> JsonPatch::apply(std::string_view document) const {
  PENSTOCK_TRY_ASSIGN(JsonTree tree, parse_json(document));
  for (const Operation& operation : operations_) {
    PENSTOCK_TRY(apply(operation, tree));
  }
  return tree.json();
}

Status JsonPatch::apply(const Operation& operation, JsonTree& document) {
  const Tokens path(operation.path.tokens());
  const Tokens from(operation.from.tokens());
  bool done = false;
  switch (operation.kind) {
    case Kind::kAdd:
      done = add(document, path, operation.value);
      break;
    case Kind::kRemove:
      done = take(document, path).has_value();
      break;
    case Kind::kReplace:
      if (JsonTree* const found = find(document, path)) {
        put(*found, operation.value);
        done = true;
      }
      break;
    case Kind::kMove:
      if (auto moved = is_within(path, from) ? std::nullopt : take(document, from)) {
        done = add(document, path, *std::move(moved));
      }
      break;
    case Kind::kCopy:
      if (const JsonTree* const found = find(document, from)) {
        done = add(document, path, *found);
      }
      break;
    case Kind::kTest: {
      const JsonTree* const found = find(document, path);
      done = found != nullptr && is_equal(*found, operation.value);
      break;
    }
  }
  return done ? Status()
              : Status(Error(ErrorCode::kInvalid,
                             "the patch does not fit the event: " +
                                 std::string(kNames[static_cast<std::size_t>(operation.kind)]) +
                                 " \"" + operation.path.text() + "\""));
}

}  // namespace penstock
