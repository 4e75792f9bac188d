#include "core/json_tree.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "core/json_string.h"
#include "core/json_writer.h"
#include "core/utf8.h"

namespace penstock {

namespace {

constexpr int kDepthMax = 128;

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
    return {ErrorCode::kInvalid, "not JSON: at byte " + std::to_string(at_) + " there should be " +
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
    const std::size_t begin = at_;
    if (take("{")) {
      tree.kind = JsonTree::Kind::kObject;
      PENSTOCK_TRY(object(tree, depth));
    } else if (take("[")) {
      tree.kind = JsonTree::Kind::kArray;
      PENSTOCK_TRY(members(']', [&]() -> Status {
        PENSTOCK_TRY_ASSIGN(JsonTree element, value(depth + 1));
        tree.children.push_back(std::move(element));
        return {};
      }));
    } else if (next() == '"') {
      tree.kind = JsonTree::Kind::kString;
      PENSTOCK_TRY_ASSIGN(tree.text, string());
    } else {
      PENSTOCK_TRY_ASSIGN(tree.kind, word());
      tree.text = text_.substr(begin, at_ - begin);
    }
    return tree;
  }

  Status object(JsonTree& tree, int depth) {
    std::map<std::string, std::size_t> known;  // members by name
    return members('}', [&]() -> Status {
      PENSTOCK_TRY_ASSIGN(std::string name, string());
      skip_space();
      if (!take(":")) {
        return wrong("a colon");
      }
      PENSTOCK_TRY_ASSIGN(JsonTree member, value(depth + 1));
      const auto [at, is_new] = known.emplace(name, tree.children.size());
      member.name = std::move(name);
      if (is_new) {
        tree.children.push_back(std::move(member));
      } else {
        tree.children[at->second] = std::move(member);
      }
      return {};
    });
  }

  Result<JsonTree::Kind> word() {
    if (take("true") || take("false")) {
      return JsonTree::Kind::kBool;
    }
    if (take("null")) {
      return JsonTree::Kind::kNull;
    }
    PENSTOCK_TRY(number());
    return JsonTree::Kind::kNumber;
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

  Status number() {
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
    return {};
  }

  Result<std::string> string() {
    if (!take("\"")) {
      return wrong("a string");
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) {
        return wrong("the end of a string");
      }
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= text_.size()) {
      at_ = text_.size();
      return wrong("the end of a string");
    }
    const std::string_view raw = text_.substr(begin, at_ - begin);
    if (const char* const bad = find_bad_escape(raw)) {
      at_ = static_cast<std::size_t>(bad - text_.data());
      return wrong("an escape");
    }
    ++at_;
    std::string content;
    unescape_json(raw, content);
    return content;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void write(const JsonTree& tree, std::string& out) {
  const bool is_object = tree.kind == JsonTree::Kind::kObject;
  if (tree.kind == JsonTree::Kind::kString) {
    append_json_string(out, tree.text);
  } else if (is_object || tree.kind == JsonTree::Kind::kArray) {
    out += is_object ? '{' : '[';
    for (const JsonTree& child : tree.children) {
      out += &child == tree.children.data() ? "" : ",";
      if (is_object) {
        append_json_string(out, child.name);
        out += ':';
      }
      write(child, out);
    }
    out += is_object ? '}' : ']';
  } else {
    out += tree.kind == JsonTree::Kind::kNull ? "null" : tree.text;
  }
}

}  // namespace

const JsonTree* JsonTree::find(std::string_view member) const {
  const auto found = std::ranges::find(children, member, &JsonTree::name);
  return kind == Kind::kObject && found != children.end() ? &*found : nullptr;
}

JsonTree* JsonTree::find(std::string_view member) {
  return const_cast<JsonTree*>(std::as_const(*this).find(member));
}

std::string JsonTree::text_of(std::string_view member) const {
  const JsonTree* found = find(member);
  return found != nullptr && found->kind == Kind::kString ? found->text : std::string();
}

std::optional<std::int64_t> JsonTree::integer_of(std::string_view member) const {
  const JsonTree* found = find(member);
  std::int64_t number = 0;
  if (found == nullptr || found->kind != Kind::kNumber) {
    return std::nullopt;
  }
  const char* const end = found->text.data() + found->text.size();
  const auto read = std::from_chars(found->text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}

const std::vector<JsonTree>& JsonTree::elements_of(std::string_view member) const {
  static const std::vector<JsonTree> none;
  const JsonTree* found = find(member);
  return found == nullptr || found->kind != Kind::kArray ? none : found->children;
}

std::string JsonTree::json() const {
  std::string out;
  write(*this, out);
  return out;
}

Result<JsonTree> parse_json(std::string_view text) {
  return is_utf8(text) ? Parser(text).parse() : Error(ErrorCode::kInvalid, "not UTF-8");
}

}  // namespace penstock
