#include "schema/editable_json.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/json_writer.h"
#include "core/utf8.h"
#include "schema/json_number.h"
#include "schema/json_string.h"

namespace penstock {
namespace {

constexpr std::size_t kDepthMax = 128;

class Parser {
 public:
  explicit Parser(std::string_view json) : json_(json) {}

  Result<EditableJson> parse() {
    EditableJson tree;
    skip_space();
    PENSTOCK_TRY(value(tree, 0));
    skip_space();
    return at_ == json_.size() ? Result<EditableJson>(std::move(tree)) : wrong();
  }

 private:
  Status value(EditableJson& tree, std::size_t depth) {
    if (at_ == json_.size() || depth > kDepthMax) {
      return wrong();
    }
    switch (json_[at_]) {
      case '{':
        tree.type = JsonType::kObject;
        return children(tree, '}', depth);
      case '[':
        tree.type = JsonType::kArray;
        return children(tree, ']', depth);
      case '"':
        tree.type = JsonType::kString;
        return string(tree.text);
      case 't':
        return word(tree, "true", JsonType::kBool);
      case 'f':
        return word(tree, "false", JsonType::kBool);
      case 'n':
        return word(tree, "null", JsonType::kNull);
      default:
        return number(tree);
    }
  }

  Status children(EditableJson& tree, char close, std::size_t depth) {
    ++at_;
    skip_space();
    if (takes(close)) {
      return {};
    }
    std::map<std::string, std::size_t> known;  // members by name
    while (true) {
      EditableJson child;
      if (tree.type == JsonType::kObject) {
        PENSTOCK_TRY(member_name(child.name));
      }
      PENSTOCK_TRY(value(child, depth + 1));
      put(tree, std::move(child), known);
      skip_space();
      if (takes(close)) {
        return {};
      }
      if (!takes(',')) {
        return wrong();
      }
      skip_space();
    }
  }

  Status member_name(std::string& name) {
    if (at_ == json_.size() || json_[at_] != '"') {
      return wrong();
    }
    PENSTOCK_TRY(string(name));
    skip_space();
    if (!takes(':')) {
      return wrong();
    }
    skip_space();
    return {};
  }

  static void put(EditableJson& tree, EditableJson child,
                  std::map<std::string, std::size_t>& known) {
    if (tree.type == JsonType::kObject) {
      const auto [at, is_new] = known.emplace(child.name, tree.children.size());
      if (!is_new) {
        tree.children[at->second] = std::move(child);
        return;
      }
    }
    tree.children.push_back(std::move(child));
  }

  Status string(std::string& text) {
    const std::size_t begin = ++at_;
    for (; at_ < json_.size() && json_[at_] != '"'; ++at_) {
      if (static_cast<unsigned char>(json_[at_]) < 0x20) {
        return wrong();
      }
      at_ += json_[at_] == '\\' ? 1 : 0;
    }
    const std::string_view raw = json_.substr(begin, at_ - begin);
    if (!takes('"') || find_bad_escape(raw) != nullptr) {
      return wrong();
    }
    text.clear();
    unescape_json(raw, text);
    return {};
  }

  Status word(EditableJson& tree, std::string_view word, JsonType type) {
    if (json_.substr(at_, word.size()) != word) {
      return wrong();
    }
    at_ += word.size();
    tree.type = type;
    tree.text = word;
    return {};
  }

  Status number(EditableJson& tree) {
    const std::size_t size =
        std::min(json_.find_first_not_of("+-.0123456789eE", at_), json_.size()) - at_;
    if (!is_json_number_slow(json_.data() + at_, size)) {
      return wrong();
    }
    tree.type = JsonType::kNumber;
    tree.text = json_.substr(at_, size);
    at_ += size;
    return {};
  }

  bool takes(char wanted) {
    const bool is_there = at_ < json_.size() && json_[at_] == wanted;
    at_ += is_there ? 1 : 0;
    return is_there;
  }

  void skip_space() { at_ = std::min(json_.find_first_not_of(" \t\r\n", at_), json_.size()); }

  [[nodiscard]] Error wrong() const {
    return {ErrorCode::kInvalid,
            "not JSON (byte " + std::to_string(std::min(at_, json_.size())) + ")"};
  }

  const std::string_view json_;
  std::size_t at_ = 0;
};

// 1, 1.0 and 1e0 are one number.
bool same_number(const std::string& a, const std::string& b) {
  const JsonValue left{.raw = a, .type = JsonType::kNumber};
  const JsonValue right{.raw = b, .type = JsonType::kNumber};
  return a == b || (left.as_double().has_value() && left.as_double() == right.as_double());
}

void write(const EditableJson& tree, std::string& out) {
  const bool is_object = tree.type == JsonType::kObject;
  if (tree.type == JsonType::kString) {
    append_json_string(out, tree.text);
  } else if (is_object || tree.type == JsonType::kArray) {
    out += is_object ? '{' : '[';
    for (const EditableJson& child : tree.children) {
      out += &child == tree.children.data() ? "" : ",";
      if (is_object) {
        append_json_string(out, child.name);
        out += ':';
      }
      write(child, out);
    }
    out += is_object ? '}' : ']';
  } else {
    out += tree.type == JsonType::kNull ? "null" : tree.text;
  }
}

}  // namespace

Result<EditableJson> EditableJson::parse(std::string_view json) {
  return is_utf8(json) ? Parser(json).parse() : Error(ErrorCode::kInvalid, "not UTF-8");
}

std::string EditableJson::json() const {
  std::string out;
  write(*this, out);
  return out;
}

const EditableJson* EditableJson::member(std::string_view member_name) const {
  const auto found = std::find_if(children.begin(), children.end(), [&](const EditableJson& child) {
    return child.name == member_name;
  });
  return type == JsonType::kObject && found != children.end() ? &*found : nullptr;
}

EditableJson* EditableJson::member(std::string_view member_name) {
  return const_cast<EditableJson*>(std::as_const(*this).member(member_name));
}

bool EditableJson::equals(const EditableJson& other) const {
  if (type != other.type || children.size() != other.children.size()) {
    return false;
  }
  if (type == JsonType::kNumber) {
    return same_number(text, other.text);
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    const EditableJson* const same =
        type == JsonType::kObject ? other.member(children[i].name) : &other.children[i];
    if (same == nullptr || !children[i].equals(*same)) {
      return false;
    }
  }
  return text == other.text;
}

}  // namespace penstock
