#include "penstock/command_line.h"

int main(int argument_count, char** arguments) {
  return penstock::app::run_command_line(argument_count, arguments);
}
