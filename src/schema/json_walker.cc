#include "schema/json_walker.h"

#include <cstring>
#include <span>

#include "core/bytes.h"
#include "schema/json_number.h"
#include "schema/json_string.h"

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
  if ((node.child_sizes >> (size < 63 ? size : 63) & 1) == 0) {
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

// One walk. A class of its own so that its state lives in registers, not behind `walker_`.
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
    for (JsonValue& value : std::span(values_, plan_.size())) {
      value = JsonValue();
    }
    target_ = &plan_.root();
    Step step = value();
    while (step != Step::kError) {
      if (step == Step::kItem) {
        step = (closer_ == '}' ? name() : element()) ? value() : Step::kError;
      } else if (frame_ == walker_.frames_.data()) {
        return next_ <= end_ ? complete() : cut();
      } else {
        step = separator();
      }
    }
    return next_ < end_ ? Outcome::kError : cut();
  }

  [[nodiscard]] const std::uint32_t* next() const { return next_; }

  [[nodiscard]] const char* next_escape() const { return next_escape_; }

 private:
  enum class Step {
    kValue,  // a value is complete
    kItem,   // behind an opening bracket or a comma: a member or an element must follow
    kError,
  };

  // Reads the name of a member and its colon; decides what is wanted of its value.
  PENSTOCK_INLINE bool name() {
    const char* const at = take();
    if (*at != '"') [[unlikely]] {
      return fail(at, "expected a name in double quotes");
    }
    const char* const colon = take();
    const char* const close = token_end(colon) - 1;
    if (*colon != ':' || *close != '"' || close <= at) [[unlikely]] {
      return fail(colon, "expected ':' after a name");
    }
    target_ = nullptr;
    if (close > next_escape_ && (check == JsonCheck::kAll || node_ != nullptr)) [[unlikely]] {
      return name_with_escape(at + 1, close);
    }
    if (node_ != nullptr) {
      target_ = find_child(plan_, *node_, at + 1, static_cast<std::size_t>(close - at - 1));
    }
    return true;
  }

  [[gnu::noinline]] bool name_with_escape(const char* begin, const char* close) {
    const std::string_view raw(begin, static_cast<std::size_t>(close - begin));
    bool escaped = false;
    if (!escapes(raw, escaped)) {
      return false;
    }
    if (node_ != nullptr) {
      unescape_json(raw, walker_.name_);
      const std::size_t size = walker_.name_.size();
      walker_.name_.append(sizeof(std::uint64_t), '\0');  // find_child() reads so far
      target_ = find_child(plan_, *node_, walker_.name_.data(), size);
    }
    return true;
  }

  PENSTOCK_INLINE bool element() {
    ++array_index_;
    target_ = node_ == nullptr ? nullptr : find_element(plan_, *node_, array_index_);
    return true;
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
    const bool wanted = target_ != nullptr;
    if (check == JsonCheck::kNeeded && !wanted) {
      return Step::kValue;
    }
    const char* const end = token_end(base_ + *next_);
    if (end[-1] != '"' || end - at < 2) [[unlikely]] {
      return error(at, "the string is not closed");
    }
    const std::string_view raw(at + 1, static_cast<std::size_t>(end - at - 2));
    bool escaped = false;
    if (end > next_escape_) [[unlikely]] {
      if (!escapes(raw, escaped)) {
        return Step::kError;
      }
    }
    if (wanted) {
      keep({raw, JsonType::kString, escaped});
    }
    value_end_ = end;
    return Step::kValue;
  }

  // Checks the escapes of a string that may have some; moves next_escape_ behind it.
  [[gnu::noinline]] bool escapes(std::string_view raw, bool& escaped) {
    const char* const end = raw.data() + raw.size();
    escaped = find_escape(raw.data(), end) != end;
    if (escaped) {
      if (const char* const bad = find_bad_escape(raw); bad != nullptr) {
        return fail(bad, "bad escape in a string");
      }
    }
    next_escape_ = find_escape(end, text_end_);
    return true;
  }

  PENSTOCK_INLINE Step number(const char* at) {
    if (check == JsonCheck::kNeeded && target_ == nullptr) {
      return Step::kValue;
    }
    const char* const end = token_end(base_ + *next_);
    if (end <= at || !is_json_number(at, static_cast<std::size_t>(end - at))) [[unlikely]] {
      return error(at, "expected a value");
    }
    scalar(at, end, JsonType::kNumber);
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
    scalar(at, end, type);
    return Step::kValue;
  }

  PENSTOCK_INLINE void scalar(const char* at, const char* end, JsonType type) {
    if (target_ != nullptr) {
      keep({std::string_view(at, static_cast<std::size_t>(end - at)), type, false});
    }
    value_end_ = end;
  }

  PENSTOCK_INLINE Step open(const char* at, char closer, JsonType type) {
    if (next_ > end_) [[unlikely]] {
      return Step::kError;
    }
    if (check == JsonCheck::kNeeded && target_ == nullptr) {
      return skip();
    }
    if (frame_ == walker_.frames_.data() + walker_.frames_.size()) [[unlikely]] {
      fail(at, "nested too deep", JsonErrorCode::kTooDeep);
      return Step::kError;
    }
    JsonValue* const kept =
        target_ == nullptr ? nullptr : keep({std::string_view(at, 1), type, false});
    if (base_[*next_] == closer) {
      end_container(kept);
      return Step::kValue;
    }
    *frame_++ = {node_, kept_, array_index_, closer_};
    node_ = target_ == nullptr || target_->is_leaf() ? nullptr : target_;
    kept_ = kept;
    array_index_ = ExtractPlan::kNone;
    closer_ = closer;
    return Step::kItem;
  }

  // Goes behind a container that nothing is wanted of, counting brackets.
  Step skip() {
    for (std::size_t depth = 1; next_ < end_;) {
      const char c = *take();
      depth += c == '{' || c == '[' ? 1 : 0;
      depth -= c == '}' || c == ']' ? 1 : 0;
      if (depth == 0) {
        value_end_ = base_ + next_[-1] + 1;
        return Step::kValue;
      }
    }
    return error(text_end_, kTextEnds);
  }

  PENSTOCK_INLINE Step separator() {
    const char* const at = take();
    if (*at == ',') [[likely]] {
      return Step::kItem;
    }
    if (*at != closer_) [[unlikely]] {
      return error(at, closer_ == '}' ? "expected ',' or '}' after a member"
                                      : "expected ',' or ']' after an element");
    }
    if (next_ > end_) [[unlikely]] {
      return Step::kError;
    }
    --next_;
    end_container(kept_);
    --frame_;
    node_ = frame_->node;
    kept_ = frame_->value;
    array_index_ = frame_->array_index;
    closer_ = frame_->closer;
    return Step::kValue;
  }

  // Takes the closing bracket at *next_.
  PENSTOCK_INLINE void end_container(JsonValue* kept) {
    value_end_ = take() + 1;
    if (kept != nullptr) {
      kept->raw = {kept->raw.data(), static_cast<std::size_t>(value_end_ - kept->raw.data())};
    }
  }

  // Keeps a value that the plan asks for, or that something is asked from.
  [[gnu::noinline]] JsonValue* keep(const JsonValue& value) {
    for (const std::uint32_t slot : plan_.slots_below(*target_)) {
      values_[slot] = JsonValue();
    }
    if (target_->slot == ExtractPlan::kNone) {
      return nullptr;
    }
    values_[target_->slot] = value;
    return &values_[target_->slot];
  }

  Outcome complete() {
    for (const auto& [slot, earlier] : plan_.repeated()) {
      values_[slot] = values_[earlier];
    }
    walker_.value_end_ = value_end_;
    return Outcome::kComplete;
  }

  Outcome cut() {
    if (next_ > end_) {
      fail(text_end_, kTextEnds);
    }
    return Outcome::kCut;
  }

  [[gnu::noinline]] bool fail(const char* at, const char* message,
                              JsonErrorCode code = JsonErrorCode::kInvalidJson) {
    walker_.error_code_ = code;
    walker_.error_message_ = message;
    walker_.error_at_ = at;
    return false;
  }

  Step error(const char* at, const char* message) {
    fail(at, message);
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
  Frame* frame_;  // where the next container that opens puts the current one
  JsonValue* values_;

  const Node* target_ = nullptr;  // what is wanted of the next value
  const Node* node_ = nullptr;    // what is wanted of the current container's members
  JsonValue* kept_ = nullptr;     // the current container, if it is wanted itself
  const char* value_end_ = nullptr;
  std::uint32_t array_index_ = ExtractPlan::kNone;
  char closer_ = 0;
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
