// penstock archive verify, penstock archive restore: what an archive holds, and back into the log.
#include <iostream>

#include "os/file_system.h"
#include "os/random.h"
#include "os/signals.h"
#include "penstock/archive_stores.h"
#include "penstock/commands.h"
#include "penstock/configuration.h"
#include "penstock/exit_code.h"
#include "penstock/opened_log.h"
#include "sinks/archive/archive_restore.h"
#include "sinks/archive/archive_verify.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"

namespace penstock::app {
namespace {

// Everything that a store and a log need around them, for the time of a command.
struct Workplace {
  std::unique_ptr<os::FileSystem> files = os::make_posix_file_system();
  os::RealClock clock;
  os::SeededRandom random{os::random_seed()};
  telemetry::Registry metrics;
  telemetry::Logger logger{clock, {.level = telemetry::LogLevel::kWarn}};
};

Result<std::vector<std::unique_ptr<sinks::ArchiveStore>>> stores_of(
    const config::PipelineConfig& config, Workplace& place) {
  PENSTOCK_TRY_ASSIGN(auto stores, archive_stores(config, {*place.files, place.clock, place.random,
                                                           place.metrics}));
  if (stores.empty()) {
    return Error(ErrorCode::kInvalid, "the archive is switched off: archive.enabled is false");
  }
  return stores;
}

Result<std::uint64_t> verify_one(os::FileSystem& files, sinks::ArchiveStore& store,
                                 const ArchiveFlags& flags, bool every_offset_is_a_record) {
  PENSTOCK_TRY_ASSIGN(const sinks::VerifyReport report,
                      sinks::verify_archive(files, store,
                                            {.topic = flags.topic,
                                             .every_offset_is_a_record = every_offset_is_a_record,
                                             .say = [](const std::string& finding) {
                                               std::cout << finding << '\n';
                                             }}));
  std::cout << store.place() << ": " << report.topics << " topics, " << report.files << " files, "
            << report.rows << " rows, " << report.missing_offsets << " offsets left out, "
            << report.findings << " findings\n";
  return report.findings;
}

Status verify(const ArchiveFlags& flags) {
  PENSTOCK_TRY_ASSIGN(const config::PipelineConfig config, load_configuration(flags.config));
  Workplace place;
  PENSTOCK_TRY_ASSIGN(const auto stores, stores_of(config, place));
  std::uint64_t findings = 0;
  for (const auto& store : stores) {
    PENSTOCK_TRY_ASSIGN(const std::uint64_t found,
                        verify_one(*place.files, *store, flags, !config.is_on_kafka()));
    findings += found;
  }
  return findings == 0 ? Status()
                       : Error(ErrorCode::kCorrupt, "the archive is not as it should be: " +
                                                        std::to_string(findings) + " findings");
}

Status restore(const ArchiveFlags& flags) {
  PENSTOCK_TRY_ASSIGN(const config::PipelineConfig config, load_configuration(flags.config));
  os::TerminationSignals signals;
  Workplace place;
  PENSTOCK_TRY_ASSIGN(const auto stores, stores_of(config, place));
  PENSTOCK_TRY_ASSIGN(const auto opened, OpenedLog::open(config, *place.files, place.clock,
                                                         place.metrics, place.logger));
  sinks::RestoreOptions options;
  options.topic = flags.topic;
  options.to = flags.to;
  options.among_others = flags.among_others;
  options.interrupted = [&] { return signals.wait(std::chrono::milliseconds(0)).has_value(); };
  // With two places both hold all of it; the local one is nearer.
  PENSTOCK_TRY_ASSIGN(
      const sinks::RestoreReport report,
      sinks::restore_topic({opened->log(), *place.files, place.clock}, *stores.front(), options));
  std::cout << "restored " << report.records << " records of topic " << flags.topic << " from "
            << report.files << " files in " << stores.front()->place() << '\n';
  if (report.missing_offsets > 0) {
    std::cout << report.missing_offsets << " offsets are left out in the archive\n";
  }
  return report.is_complete
             ? Status()
             : Error(ErrorCode::kBusy, "interrupted; the same command goes on from here");
}

}  // namespace

int run_archive_verify(const ArchiveFlags& flags) {
  return exit_code_of(verify(flags));
}

int run_archive_restore(const ArchiveFlags& flags) {
  return exit_code_of(restore(flags));
}

}  // namespace penstock::app
