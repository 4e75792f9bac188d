#include "config/environment.h"

#include <span>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/nearest.h"
#include "config/settings.h"

namespace penstock::config {
namespace {

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return upper;
}

}  // namespace

std::map<std::string, std::string> setting_variables() {
  std::map<std::string, std::string> names;
  for_each_section(kSingleSections, [&](const auto& table) {
    for (const auto& setting : table.settings) {
      names["PENSTOCK_" + upper_case(table.name) + "_" + upper_case(setting.key)] =
          std::string(table.name) + "." + std::string(setting.key);
    }
  });
  return names;
}

std::vector<Override> environment_overrides(std::span<const std::string> environment) {
  const std::map<std::string, std::string> known = setting_variables();
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const auto& [name, setting] : known) {
    names.push_back(name);
  }
  std::vector<Override> overrides;
  for (const std::string& variable : environment) {
    const std::size_t equals = variable.find('=');
    const std::string name = variable.substr(0, equals);
    if (equals == std::string::npos || !name.starts_with("PENSTOCK_")) {
      continue;
    }
    const auto found = known.find(name);
    if (found != known.end() || nearest(name, names)) {
      overrides.push_back({found != known.end() ? found->second : name, variable.substr(equals + 1),
                           "environment variable " + name});
    }
  }
  return overrides;
}

}  // namespace penstock::config
