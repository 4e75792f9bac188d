#include "penstock/spill_directory.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "penstock/kept_id.h"
#include "penstock/log_threads.h"
#include "wal/embedded_log.h"

namespace penstock::app {
namespace {

constexpr std::string_view kRemoved = ".removed";

class Generation final : public gateway::SpillGeneration {
 public:
  Generation(std::unique_ptr<wal::EmbeddedLog> log, const os::Clock& clock,
             telemetry::Logger& logger, const std::function<void(const Error&)>& on_failure)
      : log_(std::move(log)),
        threads_(*log_, "spill-wal", "spill", clock, logger,
                 [&on_failure](const Error& error) { on_failure(error.with("the spill")); }) {}

  [[nodiscard]] log::Log& log() override { return *log_; }

 private:
  const std::unique_ptr<wal::EmbeddedLog> log_;
  LogThreads threads_;
};

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<SpillDirectory>> SpillDirectory::open(
    wal::Options options, const Surroundings& surroundings,
    std::function<void(const Error&)> on_failure) {
  std::unique_ptr<SpillDirectory> spill(
      new SpillDirectory(std::move(options), surroundings, std::move(on_failure)));
  os::FileSystem& files = surroundings.files;
  PENSTOCK_TRY(files.create_directories(spill->options_.directory));
  auto lock = files.lock_file(spill->path("lock"));
  if (!lock) {
    return lock.error().with("another process may use this data directory");
  }
  spill->lock_ = *std::move(lock);
  PENSTOCK_TRY(spill->read_gateway_id());
  PENSTOCK_TRY(spill->finish_removals());
  return spill;
}

// A generation is renamed before its files go one by one: half of one would look damaged.
Status SpillDirectory::remove(std::uint64_t number) {
  const std::string directory = path(std::to_string(number));
  PENSTOCK_TRY(surroundings_.files.rename(directory, directory + std::string(kRemoved)));
  PENSTOCK_TRY(surroundings_.files.sync_directory(options_.directory));
  return remove_files(directory + std::string(kRemoved));
}

Status SpillDirectory::finish_removals() {
  PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names,
                      surroundings_.files.list(options_.directory));
  for (const std::string& name : names) {
    if (name.ends_with(kRemoved)) {
      PENSTOCK_TRY(remove_files(path(name)));
    }
  }
  return {};
}

Status SpillDirectory::remove_files(const std::string& directory) {
  os::FileSystem& files = surroundings_.files;
  PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names, files.list(directory));
  for (const std::string& name : names) {
    PENSTOCK_TRY(files.remove(os::join_path(directory, name)));
  }
  PENSTOCK_TRY(files.remove(directory));
  return files.sync_directory(options_.directory);
}

Status SpillDirectory::read_gateway_id() {
  const std::string file = path("id");
  PENSTOCK_TRY_ASSIGN(gateway_id_, kept_id(surroundings_.files, file, surroundings_.random));
  const bool sound = gateway_id_.size() == kKeptIdSize &&
                     gateway_id_.find_first_not_of("0123456789abcdef") == std::string::npos;
  return sound ? Status()
               : Error(ErrorCode::kCorrupt, file +
                                                ": this is not the id of a gateway; events in "
                                                "the spill have been shipped under it");
}

Result<std::vector<std::uint64_t>> SpillDirectory::generations() {
  PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names,
                      surroundings_.files.list(options_.directory));
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (const auto number = parse_number(name)) {
      numbers.push_back(*number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<std::unique_ptr<gateway::SpillGeneration>> SpillDirectory::open(std::uint64_t number) {
  wal::Options options = options_;
  options.directory = path(std::to_string(number));
  PENSTOCK_TRY_ASSIGN(
      auto log, wal::EmbeddedLog::open(std::move(options), surroundings_.files, surroundings_.clock,
                                       surroundings_.random, surroundings_.metrics));
  return std::unique_ptr<gateway::SpillGeneration>(std::make_unique<Generation>(
      std::move(log), surroundings_.clock, surroundings_.logger, on_failure_));
}

std::string SpillDirectory::path(const std::string& name) const {
  return os::join_path(options_.directory, name);
}

}  // namespace penstock::app
