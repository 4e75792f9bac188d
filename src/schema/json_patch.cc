#include "schema/json_patch.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

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
EditableJson* child_of(EditableJson& parent, const std::string& token) {
  if (parent.type != JsonType::kArray) {
    return parent.member(token);
  }
  const auto index = index_of(token, parent.children.size());
  return index.has_value() && *index < parent.children.size() ? &parent.children[*index] : nullptr;
}

EditableJson* find(EditableJson& document, Tokens path) {
  EditableJson* at = &document;
  for (const std::string& token : path) {
    at = at == nullptr ? nullptr : child_of(*at, token);
  }
  return at;
}

// Puts `value` where `other` was, under its name.
void put(EditableJson& other, EditableJson value) {
  value.name = other.name;
  other = std::move(value);
}

bool insert(EditableJson& parent, const std::string& token, EditableJson value) {
  if (parent.type == JsonType::kArray) {
    const auto index = index_of(token, parent.children.size());
    if (!index.has_value() || *index > parent.children.size()) {
      return false;
    }
    value.name.clear();
    parent.children.insert(parent.children.begin() + static_cast<std::ptrdiff_t>(*index),
                           std::move(value));
    return true;
  }
  if (parent.type != JsonType::kObject) {
    return false;
  }
  if (EditableJson* const known = parent.member(token)) {
    put(*known, std::move(value));
  } else {
    value.name = token;
    parent.children.push_back(std::move(value));
  }
  return true;
}

bool add(EditableJson& document, Tokens path, EditableJson value) {
  if (path.empty()) {
    put(document, std::move(value));
    return true;
  }
  EditableJson* const parent = find(document, path.first(path.size() - 1));
  return parent != nullptr && insert(*parent, path.back(), std::move(value));
}

// What was there; nothing if it was not.
std::optional<EditableJson> take(EditableJson& document, Tokens path) {
  EditableJson* const taken = find(document, path);
  if (taken == nullptr || path.empty()) {
    return std::nullopt;
  }
  EditableJson* const parent = find(document, path.first(path.size() - 1));
  EditableJson value = std::exchange(*taken, EditableJson());
  parent->children.erase(parent->children.begin() + (taken - parent->children.data()));
  return value;
}

bool is_within(Tokens inner, Tokens outer) {
  return inner.size() > outer.size() && std::equal(outer.begin(), outer.end(), inner.begin());
}

}  // namespace

Result<JsonPatch> JsonPatch::parse(std::string_view json) {
  PENSTOCK_TRY_ASSIGN(const EditableJson operations, EditableJson::parse(json));
  return from(operations);
}

Result<JsonPatch> JsonPatch::from(const EditableJson& operations) {
  if (operations.type != JsonType::kArray) {
    return Error(ErrorCode::kInvalid, "a patch is a list of operations (RFC 6902)");
  }
  JsonPatch patch;
  for (const EditableJson& each : operations.children) {
    auto operation = read(each);
    if (!operation) {
      return operation.error().with("operation " + std::to_string(patch.operations_.size()));
    }
    patch.operations_.push_back(*std::move(operation));
  }
  return patch;
}

Result<JsonPatch::Operation> JsonPatch::read(const EditableJson& operation) {
  const auto text = [&](std::string_view name) -> const std::string* {
    const EditableJson* const member = operation.member(name);
    return member != nullptr && member->type == JsonType::kString ? &member->text : nullptr;
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
  const EditableJson* const value = operation.member("value");
  if (value == nullptr && !needs_from && kind != Kind::kRemove) {
    return Error(ErrorCode::kInvalid, "\"value\" is missing");
  }
  return Operation{kind, std::move(path), std::move(from),
                   value == nullptr ? EditableJson() : *value};
}

Result<std::string> JsonPatch::apply(std::string_view document) const {
  PENSTOCK_TRY_ASSIGN(EditableJson tree, EditableJson::parse(document));
  for (const Operation& operation : operations_) {
    PENSTOCK_TRY(apply(operation, tree));
  }
  return tree.json();
}

Status JsonPatch::apply(const Operation& operation, EditableJson& document) {
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
      if (EditableJson* const found = find(document, path)) {
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
      if (const EditableJson* const found = find(document, from)) {
        done = add(document, path, *found);
      }
      break;
    case Kind::kTest: {
      const EditableJson* const found = find(document, path);
      done = found != nullptr && found->equals(operation.value);
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
