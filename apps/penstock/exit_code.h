// How the program ends, for scripts; listed by --help and in docs/operations.md.
#pragma once

namespace penstock::app {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,   // what was asked for did not work; one sentence on standard error says why
  kExitUsage = 2,    // unknown command or option, or a mistake in the configuration
  kExitDamaged = 3,  // the data directory holds bytes that cannot be trusted
};

}  // namespace penstock::app
