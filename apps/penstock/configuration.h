// Where the configuration comes from: file, environment, flags; and how a command ends.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "core/result.h"
#include "penstock/commands.h"

namespace penstock::app {

// The environment variables, as "NAME=value" each.
[[nodiscard]] std::vector<std::string> environment();

// kInvalid carries one mistake per line. A file that was named and is not there is kInvalid too.
[[nodiscard]] Result<config::PipelineConfig> load_configuration(const ConfigFlags& flags);

// kExitOk, or prints the error to standard error, each line after "penstock: ".
[[nodiscard]] int exit_code_of(const Status& status);

}  // namespace penstock::app
