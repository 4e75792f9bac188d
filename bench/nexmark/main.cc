// Nexmark on Penstock's engine: how fast, and what comes out. README.md says more.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/units.h"
#include "nexmark/runner.h"
#include "nexmark/text.h"
#include "os/file_system.h"
#include "os/random.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"
#include "wal/embedded_log.h"

namespace penstock::nexmark {
namespace {

constexpr const char* kUsage =
    R"(usage: nexmark bench [OPTION...]           how many events a second each query takes
       nexmark events FOLDER [OPTION...]   writes people.txt, auctions.txt, bids.txt
       nexmark results FOLDER [OPTION...]  runs the queries, writes what comes out to q0.txt, ...
       nexmark log FOLDER DATA [OPTION...] the same on the embedded log in DATA; goes on where it was stopped

  --events N        of all kinds (default 100000)
  --rate N          events per second by their own times (default 1000)
  --queries A,B     (default all)
)";

struct Options {
  std::string command;
  std::vector<std::string> folders;
  std::int64_t events = 100'000;
  std::int64_t rate = 1000;
  std::vector<const Query*> queries;
};

// 2024-01-01T23:59:30Z: midnight comes after half a minute.
constexpr Millis kStart = 1'704'153'570'000;

// Processing time, where the log is simulated: so many events are a second.
constexpr std::int64_t kEventsPerSecond = 1000;

// For results that are compared: nothing is too late, nothing waits for a record that never comes.
constexpr QueryOptions kComplete = {.grace = std::chrono::hours(24 * 365),
                                    .emit_interval = dsl::Duration(0)};

Result<std::vector<const Query*>> parse_queries(const std::string& names) {
  std::vector<const Query*> found;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    const Query* query = find_query(name);
    if (query == nullptr) {
      return Error(ErrorCode::kInvalid, "there is no query \"" + name + "\"");
    }
    found.push_back(query);
  }
  return found;
}

Result<Options> parse(int count, char** arguments) {
  Options options;
  for (const Query& query : queries()) {
    options.queries.push_back(&query);
  }
  for (int index = 1; index < count; ++index) {
    const std::string word = arguments[index];
    if (!word.starts_with("--")) {
      (options.command.empty() ? options.command : options.folders.emplace_back()) = word;
      continue;
    }
    if (index + 1 == count) {
      return Error(ErrorCode::kInvalid, word + " needs a value");
    }
    const std::string value = arguments[++index];
    if (word == "--queries") {
      PENSTOCK_TRY_ASSIGN(options.queries, parse_queries(value));
    } else if (word == "--events" || word == "--rate") {
      std::int64_t& number = word == "--events" ? options.events : options.rate;
      std::istringstream text(value);
      if (!(text >> number) || !text.eof() || number <= 0) {
        return Error(ErrorCode::kInvalid, word + " takes a number above 0, not \"" + value + "\"");
      }
    } else {
      return Error(ErrorCode::kInvalid, "there is no option " + word);
    }
  }
  const std::map<std::string, std::size_t> folders = {
      {"bench", 0}, {"events", 1}, {"results", 1}, {"log", 2}};
  const auto command = folders.find(options.command);
  if (command == folders.end() || command->second != options.folders.size()) {
    return Error(ErrorCode::kInvalid, "a command and its folders are needed");
  }
  return options;
}

Generator generator_for(const Options& options) {
  return Generator({.seed = 1, .start = kStart, .events_per_second = options.rate});
}

// ---- the simulated log ----

class Simulation {
 public:
  Simulation()
      : runner_(
            log_, clock_, {.step = [this] {
              log_.run_once();
              clock_.advance(std::chrono::milliseconds(10));  // two steps are one commit interval
              return Status();
            }}) {}

  Runner& runner() { return runner_; }

  // Processing time: the first event's second is 0.
  void set_second(std::int64_t second) {
    clock_.set_wall(os::WallTime(std::chrono::milliseconds(kStart / 10'000 * 10'000)) +
                    std::chrono::seconds(second));
  }

 private:
  testing::SimClock clock_;
  testing::SimLog log_;
  Runner runner_;
};

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

bool reads(const Query& query, const Event& event) {
  const std::string_view topic = std::holds_alternative<Person>(event)    ? kPeopleTopic
                                 : std::holds_alternative<Auction>(event) ? kAuctionsTopic
                                                                          : kBidsTopic;
  return std::ranges::find(query.topics, topic) != query.topics.end();
}

// One thread, everything in memory: decoding, processing, state, changelog, results, commits.
Status measure(const Options& options, const Query& query) {
  Simulation simulation;
  Runner& runner = simulation.runner();
  PENSTOCK_TRY(runner.make_topics());
  PENSTOCK_TRY(runner.append_pages());
  const Generator generator = generator_for(options);
  std::int64_t count = 0;
  for (std::int64_t number = 0; number < options.events; ++number) {
    const Event event = generator.event(number);
    if (reads(query, event)) {
      PENSTOCK_TRY(runner.append(event));
      ++count;
    }
  }
  PENSTOCK_TRY(runner.flush());
  PENSTOCK_TRY(runner.start({&query}, {.grace = std::chrono::hours(1)}));
  const double before = cpu_seconds();
  PENSTOCK_TRY(runner.run_until_processed());
  const double taken = cpu_seconds() - before;
  std::printf("%-4s %12lld %14.0f %10.0f\n", std::string(query.name).c_str(),
              static_cast<long long>(count), static_cast<double>(count) / taken,
              taken / static_cast<double>(count) * 1e9);
  std::fflush(stdout);
  runner.stop();
  return {};
}

Status bench(const Options& options) {
  std::printf("%-4s %12s %14s %10s\n", "", "events read", "events/s", "ns/event");
  for (const Query* query : options.queries) {
    PENSTOCK_TRY(measure(options, *query));
  }
  return {};
}

Status write_lines(const std::filesystem::path& file, const std::vector<std::string>& lines) {
  std::ofstream out(file);
  for (const std::string& line : lines) {
    out << line << '\n';
  }
  out.flush();
  return out ? Status() : Error(ErrorCode::kFatal, "cannot write " + file.string());
}

Status write_results(const Options& options, const Runner& runner) {
  for (const Query* query : options.queries) {
    PENSTOCK_TRY_ASSIGN(const std::vector<std::string> rows, runner.results(*query));
    const std::filesystem::path folder = options.folders.front();
    PENSTOCK_TRY(write_lines(folder / (std::string(query->name) + ".txt"), rows));
  }
  return {};
}

// Processing time advances by a second every thousand events: query 12 has results to compare.
Status simulate(const Options& options) {
  Simulation simulation;
  Runner& runner = simulation.runner();
  PENSTOCK_TRY(runner.make_topics());
  PENSTOCK_TRY(runner.append_pages());
  simulation.set_second(0);
  PENSTOCK_TRY(runner.start(options.queries, kComplete));
  const Generator generator = generator_for(options);
  for (std::int64_t number = 0; number < options.events; ++number) {
    PENSTOCK_TRY(runner.append(generator.event(number)));
    if ((number + 1) % kEventsPerSecond == 0) {
      PENSTOCK_TRY(runner.flush());
      PENSTOCK_TRY(runner.run_until_processed());
      simulation.set_second((number + 1) / kEventsPerSecond);
    }
  }
  PENSTOCK_TRY(runner.flush());
  PENSTOCK_TRY(runner.run_until_processed());
  PENSTOCK_TRY(runner.drain());
  runner.stop();
  return write_results(options, runner);
}

// ---- the embedded log ----

Status run_on_log(const Options& options) {
  const std::unique_ptr<os::FileSystem> files = os::make_posix_file_system();
  const std::string& folder = options.folders.at(1);
  PENSTOCK_TRY(files->create_directories(folder));
  os::RealClock clock;
  os::SeededRandom random(os::random_seed());
  telemetry::Registry registry;
  wal::Options log_options;
  log_options.directory = os::join_path(folder, "log");
  log_options.segment_bytes = 64 * kMiB;
  log_options.append_bytes_max = 16 * kMiB;
  PENSTOCK_TRY_ASSIGN(const auto log, wal::EmbeddedLog::open(std::move(log_options), *files, clock,
                                                             random, registry));
  Runner runner(*log, clock,
                {.step =
                     [&] {
                       const auto answered = log->run_once(clock.now());
                       return answered ? Status() : Status(answered.error());
                     },
                 .write_log = [](std::string_view line) { std::cerr << line; }});
  PENSTOCK_TRY(runner.make_topics());
  PENSTOCK_TRY_ASSIGN(const std::int64_t there, runner.event_count());
  if (there == 0) {
    PENSTOCK_TRY(runner.append_pages());
    const Generator generator = generator_for(options);
    for (std::int64_t number = 0; number < options.events; ++number) {
      PENSTOCK_TRY(runner.append(generator.event(number)));
    }
    PENSTOCK_TRY(runner.flush());
  }
  std::cout << "events " << options.events << std::endl;
  PENSTOCK_TRY(runner.start(options.queries, kComplete));
  PENSTOCK_TRY(runner.run_until_processed());
  PENSTOCK_TRY(runner.drain());
  runner.stop();
  PENSTOCK_TRY(write_results(options, runner));
  std::cout << "done" << std::endl;
  return log->close();
}

// ---- events for others ----

Status write_events(const Options& options) {
  std::vector<std::string> people;
  std::vector<std::string> auctions;
  std::vector<std::string> bids;
  const Generator generator = generator_for(options);
  for (std::int64_t number = 0; number < options.events; ++number) {
    const Event event = generator.event(number);
    std::vector<std::string>& lines = std::holds_alternative<Person>(event)    ? people
                                      : std::holds_alternative<Auction>(event) ? auctions
                                                                               : bids;
    lines.push_back(std::visit([](const auto& kind) { return to_text(kind); }, event));
  }
  const std::filesystem::path folder = options.folders.front();
  PENSTOCK_TRY(write_lines(folder / "people.txt", people));
  PENSTOCK_TRY(write_lines(folder / "auctions.txt", auctions));
  return write_lines(folder / "bids.txt", bids);
}

Status run(const Options& options) {
  if (options.command == "bench") {
    return bench(options);
  }
  std::error_code error;
  std::filesystem::create_directories(options.folders.front(), error);
  if (error) {
    return Error(ErrorCode::kInvalid, options.folders.front() + ": " + error.message());
  }
  if (options.command == "events") {
    return write_events(options);
  }
  return options.command == "results" ? simulate(options) : run_on_log(options);
}

}  // namespace
}  // namespace penstock::nexmark

int main(int count, char** arguments) {
  if (count == 2 && std::string_view(arguments[1]) == "--help") {
    std::cout << penstock::nexmark::kUsage;
    return 0;
  }
  const auto options = penstock::nexmark::parse(count, arguments);
  if (!options) {
    std::cerr << "nexmark: " << options.error().message() << '\n' << penstock::nexmark::kUsage;
    return 2;
  }
  const penstock::Status done = penstock::nexmark::run(*options);
  if (!done) {
    std::cerr << "nexmark: " << done.error().to_string() << '\n';
    return 1;
  }
  return 0;
}
