#include "schema/structural_index.h"

#include <algorithm>
#include <string>
#include <utility>

#include <simdjson.h>

#include "core/check.h"
#include "core/units.h"
#include "core/utf8.h"

static_assert(simdjson::SIMDJSON_VERSION_MAJOR == 3 && simdjson::SIMDJSON_VERSION_MINOR == 12 &&
                  simdjson::SIMDJSON_VERSION_REVISION == 3,
              "stage 1 is an internal interface: read its finish() again before another version");

namespace penstock {

namespace {

constexpr std::size_t kSizeStep = 64 * kKiB;

bool is_white(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// Stage 1 takes form feed and 0x1A for tokens of their own, too; the walker refuses them.
bool is_operator(char c) {
  return c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':' || c == '\f' ||
         c == '\x1A';
}

// Position behind the string that opens at `at`; the text's size if it does not end, and `control`
// set to the first control character in it.
std::size_t skip_string(std::string_view text, std::size_t at, std::size_t& control) {
  for (++at; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20) {
      control = at;
      return text.size();
    }
    if (byte == '"') {
      return at + 1;
    }
    if (byte == '\\' && at + 1 < text.size() && text[at + 1] >= 0x20) {
      ++at;
    }
  }
  return text.size();
}

std::size_t skip_scalar(std::string_view text, std::size_t at) {
  while (at < text.size() && !is_white(text[at]) && !is_operator(text[at]) && text[at] != '"') {
    ++at;
  }
  return at;
}

// Position behind the string or scalar at `at`. Stage 1 takes 1"2" for one token, and so do we.
std::size_t skip_value(std::string_view text, std::size_t at, std::size_t& control) {
  at = skip_scalar(text, at);
  return at < text.size() && text[at] == '"' ? skip_string(text, at, control) : at;
}

}  // namespace

class StructuralIndex::Stage1 {
 public:
  Stage1() { reserve(0); }

  [[nodiscard]] std::uint32_t* positions() const { return parser_->structural_indexes.get(); }

  [[nodiscard]] std::size_t count() const { return parser_->n_structural_indexes; }

  // simdjson allocates one position per byte and a few more.
  void reserve(std::size_t size) {
    if (parser_ == nullptr || parser_->capacity() < size) {
      allocate((size / kSizeStep + 1) * kSizeStep);
    }
  }

  simdjson::error_code run(std::string_view text) {
    return parser_->stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                           simdjson::stage1_mode::regular);
  }

 private:
  void allocate(std::size_t size) {
    parser_.reset();
    const simdjson::error_code error =
        simdjson::get_active_implementation()->create_dom_parser_implementation(size, 1, parser_);
    PENSTOCK_CHECK(error == simdjson::SUCCESS);
  }

  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
};

StructuralIndex::StructuralIndex() : stage1_(std::make_unique<Stage1>()) {
  finish(stage1_->positions(), 0);
}

StructuralIndex::~StructuralIndex() = default;

StructuralIndex::Text StructuralIndex::index(std::string_view text) {
  stage1_->reserve(text.size());
  switch (stage1_->run(text)) {
    case simdjson::SUCCESS:
      finish(stage1_->positions() + stage1_->count(), text.size());
      return Text::kClean;
    case simdjson::EMPTY:
      finish(stage1_->positions(), text.size());
      return Text::kClean;
    case simdjson::UTF8_ERROR:
      // The vector implementations report this last, so that everything else is known to be fine.
      if (implementation() != "fallback") {
        finish(stage1_->positions() + stage1_->count(), text.size());
        return Text::kBadUtf8;
      }
      [[fallthrough]];
    default:
      finish(stage1_->positions(), text.size());
      return Text::kDamaged;
  }
}

StructuralIndex::Stop StructuralIndex::index_value(std::string_view text) {
  stage1_->reserve(text.size());
  std::uint32_t* out = stage1_->positions();
  std::size_t control = text.size();
  std::size_t depth = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_white(text[at])) {
      ++at;
      continue;
    }
    *out++ = static_cast<std::uint32_t>(at);
    const char c = text[at];
    at = is_operator(c) ? at + 1 : skip_value(text, at, control);
    depth += c == '{' || c == '[' ? 1 : 0;
    depth -= (c == '}' || c == ']') && depth > 0 ? 1 : 0;
    if (depth == 0 && (at < text.size() || is_operator(c))) {
      finish(out, at);
      return Stop::kComplete;
    }
  }
  finish(out, control);  // a string with a control character is cut there
  stop_position_ = control;
  return control == text.size() ? Stop::kTextEnd : Stop::kControlCharacter;
}

void StructuralIndex::finish(std::uint32_t* end, std::size_t size) {
  begin_ = stage1_->positions();
  end_ = end;
  std::fill_n(end_, kSentinels, static_cast<std::uint32_t>(size));
}

std::size_t StructuralIndex::find_bad_utf8(std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) {
    return text.size();
  }
  std::size_t at = 0;
  for (;;) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (at + size > text.size() || !is_utf8(text.substr(at, size))) {
      return at;
    }
    at += size;
  }
}

std::string_view StructuralIndex::implementation() {
  static const std::string name = simdjson::get_active_implementation()->name();
  return name;
}

}  // namespace penstock
