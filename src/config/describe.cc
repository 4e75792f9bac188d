#include <string>

#include "config/config.h"
#include "config/setting_value.h"
#include "config/settings.h"

namespace penstock::config {
namespace {

template <typename S, typename Settings>
std::string entries(const S& section, const Settings& settings) {
  std::string text;
  for (const auto& setting : settings) {
    const std::string value = setting_toml(section, setting);
    if (!value.empty()) {
      text += std::string(setting.key) + " = " + value + "\n";
    }
  }
  return text;
}

// Everything after "must be" that fits a table cell.
std::string cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.insert(at, "\\");
  }
  return text;
}

template <typename S>
std::string default_text(const S& defaults, const Setting<S>& setting) {
  if (setting.need == Need::kRequired) {
    return "(required)";
  }
  const std::string value = setting_toml(defaults, setting);
  return value.empty() ? "(not set)" : "`" + value + "`";
}

template <typename S, typename Settings>
std::string table_of(const std::string& heading, const S& defaults, const Settings& settings) {
  std::string text = "### " + heading + "\n\n| setting | default | what it does |\n|---|---|---|\n";
  for (const auto& setting : settings) {
    text += "| `" + std::string(setting.key) + "` | " + cell(default_text(defaults, setting)) +
            " | " + cell(std::string(setting.help)) + " |\n";
  }
  return text + "\n";
}

}  // namespace

std::string describe(const PipelineConfig& config) {
  std::string text;
  for_each_section(kSingleSections, [&](const auto& table) {
    text += (text.empty() ? "[" : "\n[") + std::string(table.name) + "]\n";
    text += entries(config.*table.member, table.settings);
  });
  for_each_section(kRepeatedSections, [&](const auto& table) {
    for (const auto& element : config.*table.member) {
      text += "\n[[" + std::string(table.name) + "]]\n";
      text += entries(element, table.settings);
    }
  });
  return text;
}

std::string settings_markdown() {
  const PipelineConfig defaults;
  std::string text;
  for_each_section(kSingleSections, [&](const auto& table) {
    text += table_of("[" + std::string(table.name) + "]", defaults.*table.member, table.settings);
  });
  text += table_of("[[topic]]", defaults.topic_defaults(), kTopicSettings);
  text += table_of("[[aggregate]]", AggregateSettings(), kAggregateSettings);
  text += table_of("[[table]]", TableSettings(), kTableSettings);
  text += table_of("[[postgres]]", PostgresSettings(), kPostgresSettings);
  text += table_of("[[sqlite]]", SqliteSettings(), kSqliteSettings);
  text += table_of("[[redis]]", RedisSettings(), kRedisSettings);
  return text;
}

}  // namespace penstock::config
