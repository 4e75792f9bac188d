#include "core/json_tree.h"

#include <algorithm>
#include <charconv>

namespace penstock {

namespace {

constexpr int kDepthMax = 64;

void append_utf8(std::uint32_t code, std::string& to) {
  const auto put = [&to](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<JsonTree> parse() {
    PENSTOCK_TRY_ASSIGN(JsonTree tree, value(0));
    skip_space();
    return at_ == text_.size() ? Result<JsonTree>(std::move(tree)) : wrong("nothing more");
  }

 private:
  [[nodiscard]] Error wrong(std::string_view expected) const {
    return {ErrorCode::kInvalid, "no JSON: at byte " + std::to_string(at_) + " there should be " +
                                     std::string(expected)};
  }

  [[nodiscard]] char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  [[nodiscard]] bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  Result<JsonTree> value(int depth) {
    skip_space();
    if (depth > kDepthMax) {
      return wrong("fewer levels");
    }
    JsonTree tree;
    if (take("{")) {
      tree.kind = JsonTree::Kind::kObject;
      PENSTOCK_TRY(members('}', [&]() -> Status {
        PENSTOCK_TRY_ASSIGN(std::string name, string());
        skip_space();
        if (!take(":")) {
          return wrong("a colon");
        }
        PENSTOCK_TRY_ASSIGN(JsonTree field, value(depth + 1));
        tree.fields.push_back({std::move(name), std::move(field)});
        return {};
      }));
    } else if (take("[")) {
      tree.kind = JsonTree::Kind::kArray;
      PENSTOCK_TRY(members(']', [&]() -> Status {
        PENSTOCK_TRY_ASSIGN(JsonTree element, value(depth + 1));
        tree.elements.push_back(std::move(element));
        return {};
      }));
    } else if (next() == '"') {
      tree.kind = JsonTree::Kind::kString;
      PENSTOCK_TRY_ASSIGN(tree.text, string());
    } else if (take("true")) {
      tree.kind = JsonTree::Kind::kBool;
      tree.boolean = true;
    } else if (take("false")) {
      tree.kind = JsonTree::Kind::kBool;
    } else if (!take("null")) {
      tree.kind = JsonTree::Kind::kNumber;
      PENSTOCK_TRY_ASSIGN(tree.text, number());
    }
    return tree;
  }

  // What stands between brackets, with commas; the opening one is taken.
  template <typename Member>
  Status members(char close, Member member) {
    skip_space();
    if (take({&close, 1})) {
      return {};
    }
    while (true) {
      skip_space();
      PENSTOCK_TRY(member());
      skip_space();
      if (take({&close, 1})) {
        return {};
      }
      if (!take(",")) {
        return wrong("a comma or the end of the list");
      }
    }
  }

  Result<std::string> number() {
    const std::size_t begin = at_;
    const auto digits = [this] {
      const std::size_t first = at_;
      at_ = std::min(text_.find_first_not_of("0123456789", at_), text_.size());
      return at_ > first;
    };
    static_cast<void>(take("-"));
    if (!take("0") && !digits()) {
      return wrong("a value");
    }
    if (take(".") && !digits()) {
      return wrong("a digit");
    }
    if (take("e") || take("E")) {
      static_cast<void>(take("+") || take("-"));
      if (!digits()) {
        return wrong("a digit");
      }
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<std::string> string() {
    if (!take("\"")) {
      return wrong("a string");
    }
    std::string content;
    while (!take("\"")) {
      if (at_ == text_.size() || static_cast<unsigned char>(next()) < 0x20) {
        return wrong("the end of a string");
      }
      if (take("\\")) {
        PENSTOCK_TRY(escape(content));
      } else {
        content.push_back(text_[at_++]);
      }
    }
    return content;
  }

  Status escape(std::string& content) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t known = kEscapes.find(next());
    if (at_ < text_.size() && known != std::string_view::npos) {
      ++at_;
      content.push_back(kMeanings[known]);
      return {};
    }
    PENSTOCK_TRY_ASSIGN(std::uint32_t code, unit());
    if (code >= 0xD800 && code < 0xDC00) {
      if (!take("\\")) {
        return wrong("the second half of a surrogate pair");
      }
      PENSTOCK_TRY_ASSIGN(const std::uint32_t low, unit());
      if (low < 0xDC00 || low > 0xDFFF) {
        return wrong("the second half of a surrogate pair");
      }
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(code, content);
    return {};
  }

  // "u" and four hexadecimal digits.
  Result<std::uint32_t> unit() {
    constexpr std::size_t kDigits = 4;
    std::uint32_t code = 0;
    const std::string_view digits = text_.substr(std::min(at_ + 1, text_.size()), kDigits);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (next() != 'u' || digits.size() != kDigits || read.ec != std::errc() ||
        read.ptr != digits.data() + digits.size()) {
      return wrong("an escape");
    }
    at_ += 1 + kDigits;
    return code;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const JsonTree* JsonTree::find(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &JsonField::name);
  return found == fields.end() ? nullptr : &found->value;
}

std::string JsonTree::text_of(std::string_view name) const {
  const JsonTree* field = find(name);
  return field != nullptr && field->kind == Kind::kString ? field->text : std::string();
}

std::optional<std::int64_t> JsonTree::integer_of(std::string_view name) const {
  const JsonTree* field = find(name);
  std::int64_t number = 0;
  if (field == nullptr || field->kind != Kind::kNumber) {
    return std::nullopt;
  }
  const char* const end = field->text.data() + field->text.size();
  const auto read = std::from_chars(field->text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}

const std::vector<JsonTree>& JsonTree::elements_of(std::string_view name) const {
  static const std::vector<JsonTree> none;
  const JsonTree* field = find(name);
  return field == nullptr ? none : field->elements;
}

Result<JsonTree> parse_json(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace penstock
