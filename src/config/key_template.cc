#include "config/key_template.h"

#include "config/settings.h"

namespace penstock::config {
namespace {

using PartKind = TemplatePart::Kind;

void add_text(KeyTemplate& parts, std::string_view text) {
  if (text.empty()) {
    return;
  }
  if (parts.empty() || parts.back().kind != PartKind::kText) {
    parts.push_back({});
  }
  parts.back().text += text;
}

// What stands between "%{" and "}".
std::optional<TemplatePart> placeholder(std::string_view name) {
  if (name == "key") {
    return TemplatePart{PartKind::kKey, ""};
  }
  if (name == "partition") {
    return TemplatePart{PartKind::kPartition, ""};
  }
  if (is_json_pointer(name)) {
    return TemplatePart{PartKind::kValue, std::string(name)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<KeyTemplate> parse_key_template(std::string_view text) {
  KeyTemplate parts;
  while (!text.empty()) {
    const std::size_t percent = text.find('%');
    add_text(parts, text.substr(0, percent));
    if (percent == std::string_view::npos) {
      break;
    }
    text.remove_prefix(percent + 1);
    if (text.starts_with('%')) {
      add_text(parts, "%");
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('}');
    if (!text.starts_with('{') || end == std::string_view::npos) {
      return std::nullopt;
    }
    auto part = placeholder(text.substr(1, end - 1));
    if (!part.has_value()) {
      return std::nullopt;
    }
    parts.push_back(*std::move(part));
    text.remove_prefix(end + 1);
  }
  return parts.empty() ? std::nullopt : std::optional(std::move(parts));
}

std::optional<std::string> hash_tag(const KeyTemplate& key, std::int32_t partition) {
  std::string fixed;
  for (const TemplatePart& part : key) {
    if (part.kind != PartKind::kText && part.kind != PartKind::kPartition) {
      break;
    }
    fixed += part.kind == PartKind::kText ? part.text : std::to_string(partition);
  }
  const std::size_t begin = fixed.find('{');
  const std::size_t end = fixed.find('}', begin + 1);
  if (begin == std::string::npos || end == std::string::npos || end == begin + 1) {
    return std::nullopt;
  }
  return fixed.substr(begin + 1, end - begin - 1);
}

std::optional<HashField> parse_hash_field(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) {
    return std::nullopt;
  }
  const std::string_view pointer = text.substr(0, colon);
  if (!pointer.empty() && !is_json_pointer(pointer)) {
    return std::nullopt;
  }
  return HashField{std::string(pointer), std::string(text.substr(colon + 1))};
}

}  // namespace penstock::config
