// penstock doctor: what a data directory holds, and what of it is damaged. Changes nothing.
#include <iostream>

#include "core/units.h"
#include "os/file_system.h"
#include "penstock/commands.h"
#include "penstock/configuration.h"
#include "penstock/exit_code.h"
#include "penstock/pipeline_options.h"
#include "wal/inspect.h"

namespace penstock::app {
namespace {

Status examine(const ConfigFlags& flags) {
  PENSTOCK_TRY_ASSIGN(const config::PipelineConfig config, load_configuration(flags));
  const std::string directory = wal_options(config).directory;
  const auto files = os::make_posix_file_system();
  PENSTOCK_TRY_ASSIGN(const bool exists, files->exists(directory));
  if (!exists) {
    return Error(ErrorCode::kNotFound, "there is no log in " + config.log.data_dir);
  }
  PENSTOCK_TRY_ASSIGN(const wal::Inspection found, wal::inspect(*files, directory));
  for (const wal::SegmentReport& segment : found.segments) {
    std::cout << segment.path << ": " << segment.groups << " groups, " << segment.batches
              << " batches, " << format_bytes(segment.sound_bytes) << '\n';
  }
  for (const std::string& path : found.foreign) {
    std::cout << path << ": not a file of the log, left alone\n";
  }
  if (found.torn_bytes > 0) {
    std::cout << "a write of " << format_bytes(found.torn_bytes)
              << " was cut off and never acknowledged; the next start removes it\n";
  }
  for (const std::string& offsets : found.lost_before) {
    std::cout << "accepted as lost: " << offsets << '\n';
  }
  for (const std::string& offsets : found.lost_if_accepted) {
    std::cout << "would be lost with --accept-data-loss: " << offsets << '\n';
  }
  if (found.damage.empty()) {
    std::cout << "no damage found\n";
    return {};
  }
  std::string message;
  for (const std::string& damage : found.damage) {
    message += (message.empty() ? "damaged: " : "\ndamaged: ") + damage;
  }
  return Error(ErrorCode::kCorrupt, message);
}

}  // namespace

int run_doctor(const ConfigFlags& flags) {
  return exit_code_of(examine(flags));
}

}  // namespace penstock::app
