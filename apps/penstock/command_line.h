// The command line: which subcommands and options there are, and what their help says.
#pragma once

#include <functional>

namespace penstock::app {

// Parses, runs the chosen subcommand and returns the ExitCode to end with.
[[nodiscard]] int run_command_line(int argument_count, const char* const* arguments);

}  // namespace penstock::app
