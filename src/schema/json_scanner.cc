#include "schema/json_scanner.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "schema/json_walker.h"
#include "schema/piece_end.h"
#include "schema/structural_index.h"

namespace penstock {

namespace {

using Cursor = JsonWalker::Cursor;
using Outcome = JsonWalker::Outcome;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kTooLargeMessage = "the event is larger than the limit";
constexpr std::size_t kDamagedChunk = 4 * kKiB;

// Whether some line of the text begins, after white space, with an opening bracket.
bool has_opening_line(std::string_view text) {
  std::size_t line = 0;
  while (line < text.size()) {
    const std::size_t at = text.find_first_not_of(" \t\r\n", line);
    if (at == std::string_view::npos) {
      return false;
    }
    if (text[at] == '{' || text[at] == '[') {
      return true;
    }
    line = std::min(text.find('\n', at), text.size());
  }
  return false;
}

// How much of `text` to index, about `size` bytes: up to a place that is hardly ever inside an
// event. 0 if there is none.
std::size_t find_cut(std::string_view text, std::size_t size) {
  const std::string_view window = text.substr(0, size);
  if (const std::size_t newline = window.rfind('\n'); newline != std::string_view::npos) {
    return newline + 1;
  }
  // No newline, a compact list perhaps: between "}," and "{\"".
  for (std::size_t at = window.rfind("{\""); at != std::string_view::npos && at > 0;
       at = window.rfind("{\"", at - 1)) {
    const std::size_t before = window.find_last_not_of(" ,", at - 1);
    if (before != std::string_view::npos && window[before] == '}') {
      return at;
    }
  }
  return 0;
}

}  // namespace

class JsonScanner::Impl {
 public:
  explicit Impl(const Options& options) : options_(options), walker_(options.depth_max) {}

  Body start(std::string_view body, const ExtractPlan& plan);
  bool next(JsonPiece& piece);
  std::optional<JsonError> validate(std::string_view document);

 private:
  // What may come next, at the place in the body that has been reached.
  //
  //             '['            element          ','
  //     kTop --------> kFirst ---------> kComma ----> kElement
  //      ^ |             |               ^  |           |
  //      +-+ event   ']' |               |  | ']'       | element
  //      ^---------------+               +--------------+
  //      ^----------------------------------+
  enum class Expect { kTop, kFirst, kElement, kComma };

  enum class Token { kTaken, kPiece, kValue };

  void rewind(std::size_t position);
  bool refill();
  bool index_window(std::size_t tried);
  bool index_text(std::string_view text);
  void index_damaged(std::size_t size);
  void set_cursor();

  Token take_punctuation(const char* at, JsonPiece& piece);
  Token take_in_list(const char* at, JsonPiece& piece);
  bool take_value(const char* at, JsonPiece& piece);
  bool take_odd_value(std::string_view raw, JsonPiece& piece);
  bool widen(const char* at);
  JsonError walk_error(Outcome outcome) const;

  void taken(const char* end, Expect expect) {
    position_ = offset(end);
    expect_ = expect;
  }

  void malformed(const char* at, const JsonError& error, JsonPiece& piece);
  void refuse(std::string_view raw, const JsonError& error, JsonPiece& piece) const;
  void skip_tokens();
  bool finish(JsonPiece& piece);

  [[nodiscard]] bool in_list() const { return expect_ != Expect::kTop; }

  [[nodiscard]] std::size_t offset(const char* at) const {
    return static_cast<std::size_t>(at - body_.data());
  }

  [[nodiscard]] JsonError error_at(const char* at, std::string_view message) const {
    return {JsonErrorCode::kInvalidJson, message, offset(at)};
  }

  const Options options_;
  StructuralIndex index_;
  JsonWalker walker_;
  PieceEndFinder finder_;

  std::string_view body_;
  std::vector<JsonValue> values_;
  std::size_t plan_size_ = 0;
  Cursor cursor_;
  std::size_t position_ = 0;  // everything before it has been taken
  Expect expect_ = Expect::kTop;
  const char* list_ = nullptr;   // the bracket that opened the list
  const char* comma_ = nullptr;  // the last comma of the list

  // The indexed part of the body ends here; it began at text_begin_.
  std::size_t text_begin_ = 0;
  std::size_t text_end_ = 0;
  std::size_t damaged_until_ = 0;  // up to here values are indexed one by one
  bool text_is_damaged_ = false;   // it is a single value, or what there is of it
  bool utf8_known_ = true;         // the indexed part is UTF-8
  StructuralIndex::Stop stop_ = StructuralIndex::Stop::kTextEnd;  // why it ends there
};

JsonScanner::Body JsonScanner::Impl::start(std::string_view body, const ExtractPlan& plan) {
  body_ = body;
  plan_size_ = plan.size();
  values_.resize(plan_size_);
  walker_.set_plan(plan);
  const std::size_t begin = body.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  rewind(begin);
  const std::size_t first = body.find_first_not_of(" \t\r\n", begin);
  if (first == std::string_view::npos) {
    return Body::kEmpty;
  }
  if (body[first] == '{' || body[first] == '[') {
    return Body::kPieces;
  }
  JsonPiece piece;
  const bool is_value = next(piece) && piece.error.code != JsonErrorCode::kInvalidJson;
  if (is_value || has_opening_line(body.substr(position_))) {
    rewind(begin);
    return Body::kPieces;
  }
  rewind(body.size());
  return Body::kNotJson;
}

void JsonScanner::Impl::rewind(std::size_t position) {
  cursor_ = Cursor();
  position_ = position;
  expect_ = Expect::kTop;
  text_begin_ = text_end_ = damaged_until_ = position;
}

bool JsonScanner::Impl::next(JsonPiece& piece) {
  for (;;) {
    if (cursor_.at_end() && !refill()) {
      return finish(piece);
    }
    const char* const at = cursor_.at();
    if (*at != '{' || expect_ != Expect::kTop) {
      const Token token = take_punctuation(at, piece);
      if (token != Token::kValue) {
        if (token == Token::kPiece) {
          return true;
        }
        continue;
      }
    }
    if (take_value(at, piece)) {
      return true;
    }
  }
}

// Takes the value at `at`; false if more of the body must be indexed first.
bool JsonScanner::Impl::take_value(const char* at, JsonPiece& piece) {
  const std::uint32_t* const token = cursor_.next;
  const Outcome outcome = walker_.walk<JsonCheck::kAll>(cursor_, values_.data());
  if (outcome == Outcome::kComplete) [[likely]] {
    const char* const end = walker_.value_end();
    const std::string_view raw(at, static_cast<std::size_t>(end - at));
    if (*at == '{' && utf8_known_ && raw.size() <= options_.event_bytes_max) [[likely]] {
      piece = {raw, {values_.data(), plan_size_}, JsonError()};
    } else if (!take_odd_value(raw, piece)) {
      return false;
    }
    taken(end, in_list() ? Expect::kComma : Expect::kTop);
    return true;
  }
  cursor_.next = token;
  if (outcome == Outcome::kCut && widen(at)) {
    return false;
  }
  malformed(at, walk_error(outcome), piece);
  return true;
}

// A valid value that is perhaps no event after all.
bool JsonScanner::Impl::take_odd_value(std::string_view raw, JsonPiece& piece) {
  const bool is_scalar = raw.front() != '{' && raw.front() != '[';
  if (is_scalar && offset(raw.end()) == text_end_ && widen(raw.begin())) {
    return false;  // the rest of the number is not indexed yet
  }
  if (raw.front() != '{') {
    refuse(raw, {JsonErrorCode::kNotAnObject, "an event must be an object", offset(raw.begin())},
           piece);
    return true;
  }
  if (raw.size() > options_.event_bytes_max) {
    refuse(raw, {JsonErrorCode::kTooLarge, kTooLargeMessage, offset(raw.begin())}, piece);
    return true;
  }
  const std::size_t bad = StructuralIndex::find_bad_utf8(raw);
  if (bad != raw.size()) {
    refuse(raw, {JsonErrorCode::kInvalidUtf8, "not UTF-8", offset(raw.begin()) + bad}, piece);
    return true;
  }
  piece = {raw, values_, JsonError()};
  return true;
}

// The text was cut before the value at `at` ended: makes refill() index more of it. False if there
// is no more, or no more that could make it an event.
bool JsonScanner::Impl::widen(const char* at) {
  const std::size_t begin = offset(at);
  if (stop_ != StructuralIndex::Stop::kTextEnd || text_end_ == body_.size() ||
      text_end_ - begin > options_.event_bytes_max) {
    return false;
  }
  position_ = begin;
  cursor_.next = cursor_.end;
  return true;
}

JsonError JsonScanner::Impl::walk_error(Outcome outcome) const {
  if (outcome == Outcome::kCut && stop_ == StructuralIndex::Stop::kControlCharacter) {
    return {JsonErrorCode::kInvalidJson, "control character in a string",
            text_begin_ + index_.stop_position()};
  }
  if (outcome == Outcome::kCut && stop_ == StructuralIndex::Stop::kTextEnd &&
      text_end_ != body_.size()) {
    return {JsonErrorCode::kTooLarge, kTooLargeMessage, position_};
  }
  return {walker_.error_code(), walker_.error_message(), offset(walker_.error_at())};
}

// Indexes what comes next; false if there is nothing but white space.
bool JsonScanner::Impl::refill() {
  const std::size_t at = body_.find_first_not_of(" \t\r\n", position_);
  if (at == std::string_view::npos) {
    return false;
  }
  // So much was not enough for the value that begins here.
  const std::size_t tried = at == text_begin_ ? text_end_ - text_begin_ : 0;
  text_begin_ = at;
  if (at < damaged_until_ || !index_window(tried)) {
    index_damaged(std::max(2 * tried, kDamagedChunk));
  }
  return true;
}

// Indexes a part of the body that has more than `tried` bytes; false if it is damaged.
bool JsonScanner::Impl::index_window(std::size_t tried) {
  std::string_view text = body_.substr(text_begin_);
  const std::size_t size_max = options_.event_bytes_max + options_.window_bytes;
  for (std::size_t size = options_.window_bytes; size < text.size(); size *= 2) {
    size = std::min(size, size_max);
    const std::size_t cut = find_cut(text, size);
    if (cut > tried || size == size_max) {
      text = text.substr(0, cut > tried ? cut : size);
      break;
    }
  }
  return index_text(text);
}

bool JsonScanner::Impl::index_text(std::string_view text) {
  const StructuralIndex::Text found = index_.index(text);
  if (found == StructuralIndex::Text::kDamaged) {
    damaged_until_ = text_begin_ + text.size();
    return false;
  }
  text_is_damaged_ = false;
  utf8_known_ = found == StructuralIndex::Text::kClean;
  stop_ = StructuralIndex::Stop::kTextEnd;
  set_cursor();
  return true;
}

void JsonScanner::Impl::index_damaged(std::size_t size) {
  const bool opens_list = expect_ == Expect::kTop && body_[text_begin_] == '[';
  stop_ = index_.index_value(body_.substr(text_begin_, opens_list ? 1 : size));
  text_is_damaged_ = true;
  utf8_known_ = false;
  set_cursor();
}

void JsonScanner::Impl::set_cursor() {
  const char* const base = body_.data() + text_begin_;
  text_end_ = text_begin_ + *index_.end();
  cursor_ = {base, body_.data() + text_end_, index_.begin(), index_.end(), base};
}

JsonScanner::Impl::Token JsonScanner::Impl::take_punctuation(const char* at, JsonPiece& piece) {
  if (in_list()) {
    return take_in_list(at, piece);
  }
  if (*at != '[') {
    return Token::kValue;
  }
  list_ = at;
  ++cursor_.next;
  taken(at + 1, Expect::kFirst);
  return Token::kTaken;
}

JsonScanner::Impl::Token JsonScanner::Impl::take_in_list(const char* at, JsonPiece& piece) {
  const Expect expected = expect_;
  if (*at == ']') {
    ++cursor_.next;
    taken(at + 1, Expect::kTop);
    if (expected == Expect::kElement) {
      refuse({comma_, 1}, error_at(comma_, "expected an element after ','"), piece);
      return Token::kPiece;
    }
    return Token::kTaken;
  }
  if (*at == ',') {
    ++cursor_.next;
    comma_ = at;
    if (expected == Expect::kComma) {
      taken(at + 1, Expect::kElement);
      return Token::kTaken;
    }
    taken(at + 1, Expect::kFirst);
    refuse({at, 1}, error_at(at, "expected an element before ','"), piece);
    return Token::kPiece;
  }
  if (expected == Expect::kComma) {
    malformed(at, error_at(at, "expected ',' or ']' after an element"), piece);
    return Token::kPiece;
  }
  return Token::kValue;
}

// Makes a piece of what begins at `at`, and goes on behind it.
void JsonScanner::Impl::malformed(const char* at, const JsonError& error, JsonPiece& piece) {
  const auto place = in_list() ? PieceEndFinder::Place::kInList : PieceEndFinder::Place::kTop;
  const PieceEndFinder::End end = finder_.find(body_, offset(at), place);
  std::string_view raw(at, end.position - offset(at));
  raw = raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1);
  refuse(raw, error, piece);

  const Expect after = end.next_is_element ? Expect::kFirst : Expect::kComma;
  taken(body_.data() + end.position, in_list() ? after : Expect::kTop);
  if (end.position == body_.size()) {
    expect_ = Expect::kTop;  // a list that is not closed is no error of its own then
  }
  skip_tokens();
}

// Makes the index go on at position_. One of a clean text agrees with PieceEndFinder on what is
// inside strings; one of a single damaged value is of no more use.
void JsonScanner::Impl::skip_tokens() {
  if (text_is_damaged_) {
    cursor_.next = cursor_.end;
    return;
  }
  while (!cursor_.at_end() && offset(cursor_.at()) < position_) {
    ++cursor_.next;
  }
  cursor_.next_escape = cursor_.base;
}

void JsonScanner::Impl::refuse(std::string_view raw, const JsonError& error,
                               JsonPiece& piece) const {
  piece = {raw, {}, error};
}

bool JsonScanner::Impl::finish(JsonPiece& piece) {
  if (!in_list()) {
    return false;
  }
  expect_ = Expect::kTop;
  refuse({list_, 1}, error_at(list_, "the list is not closed"), piece);
  return true;
}

std::optional<JsonError> JsonScanner::Impl::validate(std::string_view document) {
  const ExtractPlan nothing;
  body_ = document;
  walker_.set_plan(nothing);
  rewind(document.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  const std::size_t begin = document.find_first_not_of(" \t\r\n", position_);
  if (begin == std::string_view::npos) {
    return JsonError{JsonErrorCode::kInvalidJson, "no value", document.size()};
  }
  text_begin_ = begin;
  if (!index_text(document.substr(begin))) {
    stop_ = index_.index_value(document.substr(begin));
    set_cursor();
  }
  text_end_ = document.size();
  const Outcome outcome = walker_.walk<JsonCheck::kAll>(cursor_, nullptr);
  if (outcome != Outcome::kComplete) {
    return walk_error(outcome);
  }
  const std::size_t end = offset(walker_.value_end());
  const std::size_t rest = document.find_first_not_of(" \t\r\n", end);
  if (rest != std::string_view::npos) {
    return JsonError{JsonErrorCode::kInvalidJson, "something follows the value", rest};
  }
  const std::size_t bad = StructuralIndex::find_bad_utf8(document);
  if (bad != document.size()) {
    return JsonError{JsonErrorCode::kInvalidUtf8, "not UTF-8", bad};
  }
  return std::nullopt;
}

JsonScanner::JsonScanner(const Options& options) : impl_(std::make_unique<Impl>(options)) {}

JsonScanner::~JsonScanner() = default;

JsonScanner::Body JsonScanner::start(const PaddedBuffer& body, const ExtractPlan& plan) {
  return impl_->start(body.text(), plan);
}

bool JsonScanner::next(JsonPiece& piece) {
  return impl_->next(piece);
}

std::optional<JsonError> JsonScanner::validate(const PaddedBuffer& document) {
  return impl_->validate(document.text());
}

}  // namespace penstock
