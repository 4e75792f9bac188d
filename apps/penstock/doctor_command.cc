// penstock doctor: what a data directory holds, and what of it is damaged. Changes nothing.
#include <iostream>

#include "os/file_system.h"
#include "penstock/commands.h"
#include "penstock/configuration.h"
#include "penstock/exit_code.h"

namespace penstock::app {

int run_doctor(const ConfigFlags& flags) {
  const auto config = load_configuration(flags);
  if (!config) {
    return exit_code_of(Status(config.error()));
  }
  return exit_code_of(Status(Error(ErrorCode::kFatal, "doctor is not there yet")));
}

}  // namespace penstock::app
