#include "sinks/s3/xml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace penstock::sinks {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

struct Found {
  std::string_view contents;
  std::size_t end = 0;  // behind the closing tag
};

// The first element `name` at `from` or later. An element does not hold another of its name.
std::optional<Found> find_element(std::string_view xml, std::string_view name, std::size_t from) {
  const std::string open = "<" + std::string(name);
  const std::string close = "</" + std::string(name) + ">";
  for (std::size_t at = xml.find(open, from); at != std::string_view::npos;
       at = xml.find(open, at + 1)) {
    const std::size_t after = at + open.size();
    const std::size_t tag_end = xml.find('>', after);
    if (tag_end == std::string_view::npos) {
      return std::nullopt;
    }
    if (xml[after] != '>' && xml[after] != ' ' && xml[after] != '/') {
      continue;  // a longer name
    }
    if (xml[tag_end - 1] == '/') {
      return Found{"", tag_end + 1};
    }
    const std::size_t end = xml.find(close, tag_end);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    return Found{xml.substr(tag_end + 1, end - tag_end - 1), end + close.size()};
  }
  return std::nullopt;
}

// "&#39;" and "&#x27;", of one byte; appended to `to`. False if it is none.
bool append_numbered(std::string& to, std::string_view entity) {
  if (!entity.starts_with("&#") || !entity.ends_with(';')) {
    return false;
  }
  entity = entity.substr(2, entity.size() - 3);
  const bool is_hex = entity.starts_with('x');
  entity.remove_prefix(is_hex ? 1 : 0);
  unsigned code = 0;
  const auto [end, failure] =
      std::from_chars(entity.data(), entity.data() + entity.size(), code, is_hex ? 16 : 10);
  if (failure != std::errc() || end != entity.data() + entity.size() || code > 127) {
    return false;
  }
  to += static_cast<char>(code);
  return true;
}

std::string unescaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find('&'), text.size());
    result += text.substr(0, begin);
    text.remove_prefix(begin);
    const std::size_t end = text.find(';');
    if (text.empty() || end == std::string_view::npos) {
      return result += text;
    }
    const std::string_view entity = text.substr(0, end + 1);
    text.remove_prefix(entity.size());
    bool is_known = append_numbered(result, entity);
    for (const auto& [name, character] : kEntities) {
      if (entity == name) {
        result += character;
        is_known = true;
      }
    }
    if (!is_known) {
      result += entity;
    }
  }
  return result;
}

}  // namespace

std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name) {
  std::vector<std::string_view> elements;
  for (auto found = find_element(xml, name, 0); found;
       found = find_element(xml, name, found->end)) {
    elements.push_back(found->contents);
  }
  return elements;
}

std::string xml_text(std::string_view xml, std::string_view name) {
  const auto found = find_element(xml, name, 0);
  return found.has_value() ? unescaped(found->contents) : "";
}

std::string_view xml_root(std::string_view xml) {
  std::size_t at = xml.find('<');
  while (at != std::string_view::npos && at + 1 < xml.size() &&
         (xml[at + 1] == '?' || xml[at + 1] == '!')) {
    at = xml.find('<', at + 1);
  }
  if (at == std::string_view::npos) {
    return "";
  }
  const std::size_t end = xml.find_first_of(" />", at + 1);
  return end == std::string_view::npos ? "" : xml.substr(at + 1, end - at - 1);
}

std::string xml_escape(std::string_view text) {
  std::string result;
  for (const char c : text) {
    bool is_special = false;
    for (const auto& [name, character] : kEntities) {
      if (c == character) {
        result += name;
        is_special = true;
      }
    }
    if (!is_special) {
      result += c;
    }
  }
  return result;
}

}  // namespace penstock::sinks
