#include "config/document.h"

#include <algorithm>

#include <toml++/toml.h>

namespace penstock::config {
namespace {

std::string_view unfit_name(const toml::node& node) {
  if (node.is_table()) {
    return "a table of other things than texts and numbers";
  }
  if (node.is_array()) {
    return "a list of other things than text";
  }
  return "a date or time";
}

std::vector<std::string> texts(const toml::array& array) {
  std::vector<std::string> list;
  for (const toml::node& element : array) {
    if (const auto* text = element.as_string()) {
      list.push_back(text->get());
    }
  }
  return list;
}

// False if there is something in it that is neither text, number, true or false, nor a table.
bool add_properties(const toml::table& table, const std::string& prefix, Properties& to) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      if (!add_properties(*inner, name + ".", to)) {
        return false;
      }
    } else if (const auto* text = node.as_string()) {
      to[name] = text->get();
    } else if (const auto* number = node.as_integer()) {
      to[name] = std::to_string(number->get());
    } else if (const auto* flag = node.as_boolean()) {
      to[name] = flag->get() ? "true" : "false";
    } else {
      return false;
    }
  }
  return true;
}

Value value_of(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) {
    return flag->get();
  }
  if (const auto* number = node.as_integer()) {
    return number->get();
  }
  if (const auto* number = node.as_floating_point()) {
    return number->get();
  }
  if (const auto* text = node.as_string()) {
    return text->get();
  }
  if (const auto* array = node.as_array()) {
    std::vector<std::string> list = texts(*array);
    if (list.size() == array->size()) {
      return list;
    }
  }
  if (const auto* table = node.as_table()) {
    Properties properties;
    if (add_properties(*table, "", properties)) {
      return properties;
    }
  }
  return Unfit{unfit_name(node)};
}

class Reader {
 public:
  explicit Reader(std::string_view file_name) : file_name_(file_name) {}

  std::vector<Section> read(const toml::table& root) {
    Section loose{"", false, {file_name_, 1}, {}};
    for (const auto& [key, node] : root) {
      if (const auto* table = node.as_table()) {
        sections_.push_back(section(std::string(key.str()), false, *table, place(key.source())));
      } else if (node.is_array_of_tables()) {
        for (const toml::node& element : *node.as_array()) {
          sections_.push_back(
              section(std::string(key.str()), true, *element.as_table(), place(element.source())));
        }
      } else {
        loose.entries.push_back({std::string(key.str()), value_of(node), place(key.source())});
      }
    }
    if (!loose.entries.empty()) {
      sections_.push_back(std::move(loose));
    }
    std::stable_sort(sections_.begin(), sections_.end(), [](const Section& a, const Section& b) {
      return a.place.line < b.place.line;
    });
    return std::move(sections_);
  }

 private:
  [[nodiscard]] Place place(const toml::source_region& region) const {
    return {file_name_, region.begin.line};
  }

  [[nodiscard]] Section section(std::string name, bool repeated, const toml::table& table,
                                Place where) const {
    Section result{std::move(name), repeated, std::move(where), {}};
    for (const auto& [key, node] : table) {
      result.entries.push_back({std::string(key.str()), value_of(node), place(key.source())});
    }
    std::stable_sort(result.entries.begin(), result.entries.end(),
                     [](const Entry& a, const Entry& b) { return a.place.line < b.place.line; });
    return result;
  }

  std::string file_name_;
  std::vector<Section> sections_;
};

}  // namespace

std::string shown(const Value& value) {
  if (const auto* unfit = std::get_if<Unfit>(&value)) {
    return std::string(unfit->name);
  }
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? "true" : "false";
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*number);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return "\"" + *text + "\"";
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::string text = "[";
    for (const std::string& element : *list) {
      text += (text.size() > 1 ? ", \"" : "\"") + element + "\"";
    }
    return text + "]";
  }
  if (std::holds_alternative<Properties>(value)) {
    return "a table";
  }
  return "a number with a fraction";
}

Result<std::vector<Section>> read_toml(std::string_view text, std::string_view file_name) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    return Error(ErrorCode::kInvalid, std::string(file_name) + ":" + std::to_string(at.line) + ":" +
                                          std::to_string(at.column) + ": this is not TOML: " +
                                          std::string(parsed.error().description()));
  }
  return Reader(file_name).read(parsed.table());
}

}  // namespace penstock::config
