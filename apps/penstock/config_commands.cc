// penstock config check and penstock config show.
#include <iostream>

#include "penstock/commands.h"
#include "penstock/configuration.h"
#include "penstock/exit_code.h"

namespace penstock::app {

int run_config_check(const ConfigFlags& flags) {
  const auto config = load_configuration(flags);
  if (!config) {
    return exit_code_of(Status(config.error()));
  }
  std::cout << "the configuration is fine: " << config->topics.size() << " topics, "
            << config->aggregates.size() << " aggregates, " << config->tables.size() << " tables\n";
  return kExitOk;
}

int run_config_show(const ConfigFlags& flags) {
  const auto config = load_configuration(flags);
  if (!config) {
    return exit_code_of(Status(config.error()));
  }
  std::cout << config::describe(*config);
  return kExitOk;
}

}  // namespace penstock::app
