#include "config/loader.h"

#include <algorithm>
#include <charconv>

#include "config/environment.h"
#include "config/nearest.h"
#include "config/setting_value.h"

namespace penstock::config {
namespace {

template <typename Table>
std::vector<std::string> keys_of(const Table& table) {
  std::vector<std::string> keys;
  for (const auto& setting : table.settings) {
    keys.emplace_back(setting.key);
  }
  return keys;
}

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  const auto add = [&](const auto& table) { names.emplace_back(table.name); };
  for_each_section(kSingleSections, add);
  for_each_section(kRepeatedSections, add);
  return names;
}

// The section that has a setting `key`, other than the one it was looked for in.
std::string home_of(std::string_view key) {
  std::string home;
  for_each_section(kSingleSections, [&](const auto& table) {
    const std::vector<std::string> keys = keys_of(table);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      home = table.name;
    }
  });
  return home;
}

// What a text from outside of the file means: TOML's types without TOML's quotes.
Value value_of_text(const std::string& text) {
  if (text == "true" || text == "false") {
    return text == "true";
  }
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure == std::errc() && rest == end) {
    return number;
  }
  return text;
}

// A text stays text where the setting is one: a directory may be called "2024".
template <typename Table>
Entry override_entry(const Table& table, const std::string& key, const Override& override) {
  Entry entry{key, value_of_text(override.value), {override.source, 0}};
  for (const auto& setting : table.settings) {
    if (setting.key == key && setting.kind == Kind::kText) {
      entry.value = override.value;
    }
  }
  return entry;
}

// What deserves more than "must be": values that other versions or programs know.
std::string hint(const TextRule& rule, const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) {
    return "";
  }
  if (rule.fits == is_log_level) {
    const std::vector<std::string> levels = {"debug", "info", "warn", "error"};
    return did_you_mean(*text, levels);
  }
  return "";
}

}  // namespace

void Loader::load(const std::vector<Section>& sections, std::span<const Override> overrides) {
  for (const Section& section : sections) {
    if (!section.repeated) {
      load_single(section);
    }
  }
  for (const Override& override : overrides) {
    load_override(override);
  }
  // After these, because they are the defaults of topics.
  for (const Section& section : sections) {
    if (section.repeated) {
      load_repeated(section);
    }
  }
  check_config(config_, [this](const Subject& subject, std::string complaint) {
    complain(subject, std::move(complaint));
  });
}

Result<PipelineConfig> Loader::finish() {
  if (mistakes_.empty()) {
    return std::move(config_);
  }
  std::stable_sort(mistakes_.begin(), mistakes_.end(),
                   [](const Mistake& a, const Mistake& b) { return a.place.line < b.place.line; });
  std::string message;
  for (const Mistake& mistake : mistakes_) {
    message += (message.empty() ? "" : "\n") + mistake.place.text() + ": " + mistake.text;
  }
  return Error(ErrorCode::kInvalid, std::move(message));
}

void Loader::load_single(const Section& section) {
  bool known = false;
  for_each_section(kSingleSections, [&](const auto& table) {
    if (table.name == section.name) {
      known = true;
      auto& stored = config_.*table.member;
      for (const Entry& entry : section.entries) {
        set(table, 0, stored, entry, std::string(table.name) + ".");
      }
    }
  });
  if (!known) {
    unknown_section(section);
  }
}

void Loader::load_repeated(const Section& section) {
  bool known = false;
  for_each_section(kRepeatedSections, [&](const auto& table) {
    if (table.name == section.name) {
      known = true;
      load_element(table, section);
    }
  });
  if (!known) {
    unknown_section(section);
  }
}

template <typename S, std::size_t N>
void Loader::load_element(const SectionTable<S, std::vector<S>, N>& table, const Section& section) {
  std::vector<S>& list = config_.*table.member;
  const std::size_t index = list.size();
  S element;
  if constexpr (std::is_same_v<S, TopicSettings>) {
    element = config_.topic_defaults();
  }
  // By its name where it has one: lines move, names do not.
  std::string title = "the " + std::string(table.name) + "'s ";
  for (const Entry& entry : section.entries) {
    if (entry.key == "name" && std::holds_alternative<std::string>(entry.value)) {
      title = std::string(table.name) + " " + shown(entry.value) + ": ";
    }
  }
  places_[{std::string(table.name), index, ""}] = section.place;
  titles_[{std::string(table.name), index, ""}] = title;
  for (const Entry& entry : section.entries) {
    set(table, index, element, entry, title);
  }
  for (const Setting<S>& setting : table.settings) {
    const Key key{std::string(table.name), index, std::string(setting.key)};
    if (setting.need == Need::kRequired && places_.find(key) == places_.end()) {
      mistake(section.place, title + std::string(setting.key) + " is missing");
    }
  }
  list.push_back(std::move(element));
}

template <typename Table, typename S>
void Loader::set(const Table& table, std::size_t index, S& to, const Entry& entry,
                 const std::string& title) {
  for (const auto& setting : table.settings) {
    if (setting.key == entry.key) {
      places_[{std::string(table.name), index, entry.key}] = entry.place;
      if (!read_setting(entry.value, setting, to)) {
        mistake(entry.place, title + entry.key + " must be " + expected(shape_of(setting)) +
                                 ", not " + shown(entry.value) + hint(setting.rule, entry.value));
      }
      return;
    }
  }
  unknown_key(table, entry, title);
}

void Loader::load_override(const Override& override) {
  const std::size_t dot = override.setting.find('.');
  const std::string section = override.setting.substr(0, dot);
  const Place place{override.source, 0};
  bool known = false;
  for_each_section(kSingleSections, [&](const auto& table) {
    if (table.name == section && dot != std::string::npos) {
      known = true;
      auto& stored = config_.*table.member;
      const std::string key = override.setting.substr(dot + 1);
      set(table, 0, stored, override_entry(table, key, override), section + ".");
    }
  });
  if (!known) {
    const std::map<std::string, std::string> known_variables = setting_variables();
    std::vector<std::string> names;
    names.reserve(known_variables.size());
    for (const auto& [variable, setting] : known_variables) {
      names.push_back(variable);
    }
    mistake(place, "there is no such setting" + did_you_mean(override.setting, names));
  }
}

template <typename Table>
void Loader::unknown_key(const Table& table, const Entry& entry, const std::string& title) {
  const std::vector<std::string> keys = keys_of(table);
  std::string text = title + entry.key + " is not a setting";
  const std::string home = home_of(entry.key);
  const std::string guess = did_you_mean(entry.key, keys);
  if (!guess.empty()) {
    text += guess;
  } else if (!home.empty()) {
    text += " of " + std::string(table.name) + "; it belongs to [" + home + "]";
  } else {
    text += "; known are";
    for (const std::string& key : keys) {
      text += (key == keys.front() ? " " : ", ") + key;
    }
  }
  mistake(entry.place, std::move(text));
}

void Loader::unknown_section(const Section& section) {
  const std::vector<std::string> names = section_names();
  if (section.name.empty()) {
    for (const Entry& entry : section.entries) {
      const std::string home = home_of(entry.key);
      mistake(entry.place, entry.key + " stands outside of any section" +
                               (home.empty() ? "" : "; it belongs to [" + home + "]"));
    }
    return;
  }
  const std::string open = section.repeated ? "[[" : "[";
  const std::string close = section.repeated ? "]]" : "]";
  const std::string written = open + section.name + close;
  if (std::find(names.begin(), names.end(), section.name) != names.end()) {
    mistake(section.place, written + " must be written " + (section.repeated ? "[" : "[[") +
                               section.name + (section.repeated ? "]" : "]]"));
    return;
  }
  mistake(section.place, written + " is not a section" + did_you_mean(section.name, names));
}

void Loader::complain(const Subject& subject, std::string complaint) {
  const Key owner{std::string(subject.section), subject.index, ""};
  const auto place =
      places_.find({std::string(subject.section), subject.index, std::string(subject.key)});
  const auto owner_place = places_.find(owner);
  const auto title = titles_.find(owner);
  const std::string begin =
      title == titles_.end() ? std::string(subject.section) + "." : title->second;
  mistake(place != places_.end()         ? place->second
          : owner_place != places_.end() ? owner_place->second
                                         : Place{file_name_, 0},
          begin + std::string(subject.key) + " " + std::move(complaint));
}

void Loader::mistake(const Place& place, std::string text) {
  mistakes_.push_back({place, std::move(text)});
}

}  // namespace penstock::config
