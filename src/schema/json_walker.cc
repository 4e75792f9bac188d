#include "schema/json_walker.h"

#include <algorithm>
#include <cstring>

#include "core/bytes.h"
#include "core/json_string.h"
#include "schema/json_number.h"

#define PENSTOCK_INLINE [[gnu::always_inline]] inline

namespace penstock {

namespace {

using Node = ExtractPlan::Node;

constexpr const char* kTextEnds = "the text ends inside a value";

bool is_white(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// One past the last byte of the token that ends before `bound`.
PENSTOCK_INLINE const char* token_end(const char* bound) {
  while (is_white(bound[-1])) [[unlikely]] {
      --bound;
    }
  return bound;
}

const char* find_escape(const char* from, const char* end) {
  const void* const found =
      from < end ? std::memchr(from, '\\', static_cast<std::size_t>(end - from)) : nullptr;
  return found == nullptr ? end : static_cast<const char*>(found);
}

// The child whose name is the `size` bytes at `name`, at which 8 bytes are readable.
PENSTOCK_INLINE const Node* find_child(const ExtractPlan& plan, const Node& node, const char* name,
                                       std::size_t size) {
  if ((node.child_sizes >> (size % 64) & 1) == 0) {
    return nullptr;
  }
  auto head = load_le<std::uint64_t>(reinterpret_cast<const std::byte*>(name));
  head &= size < 8 ? (std::uint64_t{1} << (8 * size)) - 1 : ~std::uint64_t{0};
  for (const Node& child : plan.children(node)) {
    if (child.name_head == head && child.name_size == size &&
        (size <= 8 || std::memcmp(name, plan.name(child).data(), size) == 0)) {
      return &child;
    }
  }
  return nullptr;
}

const Node* find_element(const ExtractPlan& plan, const Node& node, std::uint32_t index) {
  for (const Node& child : plan.children(node)) {
    if (child.array_index == index) {
      return &child;
    }
  }
  return nullptr;
}

}  // namespace

// One walk. Its state is to live in registers, so no function that is not inlined may see `this`:
// whatever is rare is static and gets what it needs.
template <JsonCheck check>
class JsonWalker::Walk {
 public:
  Walk(JsonWalker& walker, const Cursor& cursor, JsonValue* values)
      : walker_(walker),
        plan_(*walker.plan_),
        base_(cursor.base),
        text_end_(cursor.text_end),
        end_(cursor.end),
        next_(cursor.next),
        next_escape_(cursor.next_escape),
        frame_(walker.frames_.data()),
        values_(values) {}

  PENSTOCK_INLINE Outcome run() {
    target_ = &plan_.root();  // everything else is below it, so keep() clears it
    Step step = value();
    if (step == Step::kValue) {
      return complete();
    }
    for (;;) {
      if (step == Step::kItem) {
        step = frame_->closer == '}' ? member() : element();
      } else if (step == Step::kValue) [[likely]] {
        step = separator();
      } else {
        break;
      }
    }
    if (step == Step::kEnd) [[likely]] {
      return complete();
    }
    return next_ < end_ ? Outcome::kError : cut();
  }

  [[nodiscard]] const std::uint32_t* next() const { return next_; }

  [[nodiscard]] const char* next_escape() const { return next_escape_; }

 private:
  enum class Step {
    kValue,  // a value is complete
    kItem,   // behind an opening bracket or a comma: a member or an element must follow
    kEnd,    // the outermost container is closed
    kError,
  };

  // A name, its colon and the value.
  PENSTOCK_INLINE Step member() {
    const char* const at = take();
    if (*at != '"') [[unlikely]] {
      return error(at, "expected a name in double quotes");
    }
    const char* const colon = take();
    const char* const close = token_end(colon) - 1;
    if (*colon != ':') [[unlikely]] {
      return error(colon, "expected ':' after a name");
    }
    if (*close != '"' || close <= at) [[unlikely]] {
      return error(at, "the name is not closed");
    }
    const Node* const node = frame_->node;
    target_ = nullptr;
    if (close > next_escape_ && (check == JsonCheck::kAll || node != nullptr)) [[unlikely]] {
      const std::string_view raw(at + 1, static_cast<std::size_t>(close - at - 1));
      const Escapes found = check_escapes(walker_, raw, text_end_);
      if (found.next == nullptr) {
        return Step::kError;
      }
      next_escape_ = found.next;
      target_ = node == nullptr ? nullptr : find_escaped(walker_, *node, raw);
    } else if (node != nullptr) {
      target_ = find_child(plan_, *node, at + 1, static_cast<std::size_t>(close - at - 1));
    }
    return value();
  }

  PENSTOCK_INLINE Step element() {
    const Node* const node = frame_->node;
    const std::uint32_t index = ++frame_->array_index;
    target_ = node == nullptr ? nullptr : find_element(plan_, *node, index);
    return value();
  }

  PENSTOCK_INLINE Step value() {
    const char* const at = take();
    switch (*at) {
      case '"':
        return string(at);
      case '{':
        return open(at, '}', JsonType::kObject);
      case '[':
        return open(at, ']', JsonType::kArray);
      case 't':
        return literal(at, "true", 4, JsonType::kBool);
      case 'f':
        return literal(at, "false", 5, JsonType::kBool);
      case 'n':
        return literal(at, "null", 4, JsonType::kNull);
      default:
        return number(at);
    }
  }

  PENSTOCK_INLINE Step string(const char* at) {
    if (check == JsonCheck::kNeeded && target_ == nullptr) {
      return Step::kValue;
    }
    const char* const close = token_end(base_ + *next_) - 1;
    if (*close != '"' || close <= at) [[unlikely]] {
      return error(at, "the string is not closed");
    }
    bool escaped = false;
    if (close > next_escape_) [[unlikely]] {
      const std::string_view raw(at + 1, static_cast<std::size_t>(close - at - 1));
      const Escapes found = check_escapes(walker_, raw, text_end_);
      if (found.next == nullptr) {
        return Step::kError;
      }
      next_escape_ = found.next;
      escaped = found.any;
    }
    keep_scalar(at + 1, close, JsonType::kString, escaped);
    return Step::kValue;
  }

  PENSTOCK_INLINE Step number(const char* at) {
    if (check == JsonCheck::kNeeded && target_ == nullptr) {
      return Step::kValue;
    }
    const char* const end = token_end(base_ + *next_);
    if (end <= at || !is_json_number(at, static_cast<std::size_t>(end - at))) [[unlikely]] {
      return error(at, "expected a value");
    }
    keep_scalar(at, end, JsonType::kNumber, false);
    return Step::kValue;
  }

  PENSTOCK_INLINE Step literal(const char* at, const char* text, std::size_t size, JsonType type) {
    if (check == JsonCheck::kNeeded && target_ == nullptr) {
      return Step::kValue;
    }
    const char* const end = token_end(base_ + *next_);
    if (end != at + size || std::memcmp(at, text, size) != 0) [[unlikely]] {
      return error(at, "expected a value");
    }
    keep_scalar(at, end, type, false);
    return Step::kValue;
  }

  PENSTOCK_INLINE void keep_scalar(const char* begin, const char* end, JsonType type,
                                   bool escaped) {
    if (target_ == nullptr) {
      return;
    }
    JsonValue* const kept = target_->is_leaf() ? slot() : keep(plan_, *target_, values_);
    if (kept != nullptr) {
      // Field by field: a JsonValue made elsewhere would be copied out of the store buffer.
      kept->raw = std::string_view(begin, static_cast<std::size_t>(end - begin));
      kept->type = type;
      kept->escaped = escaped;
    }
  }

  // Of a leaf: each has one.
  PENSTOCK_INLINE JsonValue* slot() {
    return target_->slot == ExtractPlan::kNone ? nullptr : &values_[target_->slot];
  }

  PENSTOCK_INLINE Step open(const char* at, char closer, JsonType type) {
    if (next_ > end_) [[unlikely]] {
      return Step::kError;
    }
    if (check == JsonCheck::kNeeded && target_ == nullptr) {
      return skip();
    }
    if (frame_ == &walker_.frames_.back()) [[unlikely]] {
      fail(walker_, at, "nested too deep", JsonErrorCode::kTooDeep);
      return Step::kError;
    }
    JsonValue* kept = nullptr;
    const Node* node = nullptr;
    if (target_ != nullptr) {
      kept = keep(plan_, *target_, values_);
      node = target_->is_leaf() ? nullptr : target_;
      if (kept != nullptr) {
        *kept = {std::string_view(at, 1), type, false};
      }
    }
    if (base_[*next_] == closer) {
      end_container(kept);
      return Step::kValue;
    }
    *++frame_ = {node, kept, ExtractPlan::kNone, closer};
    return Step::kItem;
  }

  // Goes behind a container that nothing is wanted of, counting brackets.
  PENSTOCK_INLINE Step skip() {
    for (std::size_t depth = 1; next_ < end_;) {
      const char c = *take();
      depth += c == '{' || c == '[' ? 1 : 0;
      depth -= c == '}' || c == ']' ? 1 : 0;
      if (depth == 0) {
        return Step::kValue;
      }
    }
    return error(text_end_, kTextEnds);
  }

  PENSTOCK_INLINE Step separator() {
    const char* const at = base_ + *next_;
    if (*at == ',') [[likely]] {
      ++next_;
      return Step::kItem;
    }
    if (*at != frame_->closer || next_ >= end_) [[unlikely]] {
      ++next_;
      return error(at, frame_->closer == '}' ? "expected ',' or '}' after a member"
                                             : "expected ',' or ']' after an element");
    }
    end_container(frame_->value);
    --frame_;
    return frame_ == walker_.frames_.data() ? Step::kEnd : Step::kValue;
  }

  // Takes the closing bracket at *next_.
  PENSTOCK_INLINE void end_container(JsonValue* kept) {
    const char* const end = take() + 1;
    if (kept != nullptr) {
      kept->raw = {kept->raw.data(), static_cast<std::size_t>(end - kept->raw.data())};
    }
  }

  PENSTOCK_INLINE Outcome complete() {
    if (next_ > end_) [[unlikely]] {
      return cut();
    }
    for (const auto& [slot, earlier] : plan_.repeated()) {
      values_[slot] = values_[earlier];
    }
    const char* const last = base_ + next_[-1];
    walker_.value_end_ = *last == '}' || *last == ']' ? last + 1 : token_end(base_ + *next_);
    return Outcome::kComplete;
  }

  PENSTOCK_INLINE Outcome cut() {
    if (next_ > end_) {
      fail(walker_, text_end_, kTextEnds);
    }
    return Outcome::kCut;
  }

  struct Escapes {
    const char* next;  // the first backslash behind the string; null: the string has a bad escape
    bool any;
  };

  // Of a string that perhaps has some.
  [[gnu::noinline]] static Escapes check_escapes(JsonWalker& walker, std::string_view raw,
                                                 const char* text_end) {
    const char* const end = raw.data() + raw.size();
    const bool any = find_escape(raw.data(), end) != end;
    if (any) {
      if (const char* const bad = find_bad_escape(raw); bad != nullptr) {
        fail(walker, bad, "bad escape in a string");
        return {nullptr, true};
      }
    }
    return {find_escape(end, text_end), any};
  }

  [[gnu::noinline]] static const Node* find_escaped(JsonWalker& walker, const Node& node,
                                                    std::string_view raw) {
    unescape_json(raw, walker.name_);
    const std::size_t size = walker.name_.size();
    walker.name_.append(sizeof(std::uint64_t), '\0');  // find_child() reads so far
    return find_child(*walker.plan_, node, walker.name_.data(), size);
  }

  // Where the value of `target` goes, if it is wanted itself; clears what lies below it.
  [[gnu::noinline]] static JsonValue* keep(const ExtractPlan& plan, const Node& target,
                                           JsonValue* values) {
    for (const std::uint32_t slot : plan.slots_below(target)) {
      values[slot] = JsonValue();
    }
    return target.slot == ExtractPlan::kNone ? nullptr : &values[target.slot];
  }

  [[gnu::noinline]] static void fail(JsonWalker& walker, const char* at, const char* message,
                                     JsonErrorCode code = JsonErrorCode::kInvalidJson) {
    walker.error_code_ = code;
    walker.error_message_ = message;
    walker.error_at_ = at;
  }

  PENSTOCK_INLINE Step error(const char* at, const char* message) {
    fail(walker_, at, message);
    return Step::kError;
  }

  PENSTOCK_INLINE const char* take() { return base_ + *next_++; }

  JsonWalker& walker_;
  const ExtractPlan& plan_;
  const char* const base_;
  const char* const text_end_;
  const std::uint32_t* const end_;
  const std::uint32_t* next_;
  const char* next_escape_;
  Frame* frame_;  // the innermost open container; the first one stands for none
  JsonValue* values_;
  const Node* target_ = nullptr;  // what is wanted of the next value; null: nothing
};

template <JsonCheck check>
JsonWalker::Outcome JsonWalker::walk(Cursor& cursor, JsonValue* values) {
  Walk<check> walk(*this, cursor, values);
  const Outcome outcome = walk.run();
  cursor.next = walk.next();
  cursor.next_escape = walk.next_escape();
  return outcome;
}

template JsonWalker::Outcome JsonWalker::walk<JsonCheck::kAll>(Cursor&, JsonValue*);
template JsonWalker::Outcome JsonWalker::walk<JsonCheck::kNeeded>(Cursor&, JsonValue*);

}  // namespace penstock
