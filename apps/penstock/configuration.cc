#include "penstock/configuration.h"

#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "os/file_system.h"
#include "penstock/exit_code.h"

namespace penstock::app {
namespace {

constexpr const char* kDefaultFile = "penstock.toml";

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return kExitUsage;
    case ErrorCode::kCorrupt:
      return kExitDamaged;
    default:
      return kExitFailed;
  }
}

}  // namespace

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

Result<config::PipelineConfig> load_configuration(const ConfigFlags& flags) {
  std::vector<config::Override> overrides = config::environment_overrides(environment());
  if (!flags.data_dir.empty()) {
    overrides.push_back({"log.data_dir", flags.data_dir, "--data-dir"});
  }
  if (!flags.listen.empty()) {
    overrides.push_back({"http.listen", flags.listen, "--listen"});
  }
  const auto files = os::make_posix_file_system();
  if (flags.config_path.empty()) {
    PENSTOCK_TRY_ASSIGN(const bool exists, files->exists(kDefaultFile));
    return exists ? config::load_config(*files, kDefaultFile, overrides)
                  : config::parse_config("", "defaults", overrides);
  }
  auto config = config::load_config(*files, flags.config_path, overrides);
  if (!config && config.error().code() == ErrorCode::kNotFound) {
    return Error(ErrorCode::kInvalid, "--config: there is no file \"" + flags.config_path + "\"");
  }
  return config;
}

int exit_code_of(const Status& status) {
  if (status) {
    return kExitOk;
  }
  std::string_view message = status.error().message();
  while (!message.empty()) {
    const std::string_view line = message.substr(0, message.find('\n'));
    std::cerr << "penstock: " << line << '\n';
    message.remove_prefix(std::min(line.size() + 1, message.size()));
  }
  return exit_code_of(status.error().code());
}

}  // namespace penstock::app
