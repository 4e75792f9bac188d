#include "penstock/command_line.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/nearest.h"
#include "penstock/bench/bench.h"
#include "penstock/commands.h"
#include "penstock/exit_code.h"

namespace penstock::app {
namespace {

constexpr const char* kAbout =
    "Penstock takes in events over HTTP, stores each durably before it says so, processes\n"
    "it exactly once and archives it as Parquet. `penstock up` is all of it in one process.";

constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 failed, a sentence on standard error says why; 2 a mistake on the\n"
    "command line or in the configuration; 3 the data directory holds damaged bytes.\n"
    "Documentation: README.md and docs/.";

// One sentence, as all errors of this program.
std::string failure_message(const CLI::App* /*app*/, const CLI::Error& error) {
  return std::string("penstock: ") + error.what() + "; penstock --help lists what there is\n";
}

// "" or what is wrong with the first words: CLI11 only says that a subcommand is missing.
std::string unknown_command(const CLI::App* app, int argument_count, const char* const* arguments) {
  std::string commands = "penstock ";
  for (int i = 1; i < argument_count; ++i) {
    const std::string word = arguments[i];
    std::vector<std::string> known;
    for (const CLI::App* command : app->get_subcommands({})) {
      known.push_back(command->get_name());
    }
    if (known.empty() || word.starts_with("-")) {
      return "";
    }
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      return "there is no command \"" + commands + word + "\"" + config::did_you_mean(word, known);
    }
    app = app->get_subcommand(word);
    commands += word + " ";
  }
  return "";
}

// Adds a subcommand that only groups others.
CLI::App* add_group(CLI::App& parent, const char* name, const char* about) {
  CLI::App* group = parent.add_subcommand(name, about);
  group->set_version_flag("--version", std::string("penstock ") + PENSTOCK_VERSION);
  group->require_subcommand(1);
  return group;
}

// Adds a subcommand whose outcome becomes the program's exit code.
CLI::App* add_command(CLI::App& parent, const char* name, const char* about, int& exit_code,
                      std::function<int()> run) {
  CLI::App* command = parent.add_subcommand(name, about);
  command->set_version_flag("--version", std::string("penstock ") + PENSTOCK_VERSION);
  command->callback([&exit_code, run = std::move(run)] { exit_code = run(); });
  return command;
}

void add_config_flags(CLI::App& command, ConfigFlags& flags) {
  command
      .add_option("--config", flags.config_path,
                  "configuration file [penstock.toml, or the defaults if there is none]")
      ->type_name("FILE");
  command.add_option("--data-dir", flags.data_dir, "where everything is stored [data]")
      ->type_name("DIR");
}

void add_server_flags(CLI::App& command, ConfigFlags& flags) {
  add_config_flags(command, flags);
  command.add_option("--listen", flags.listen, "HTTP address [127.0.0.1:8080]")
      ->type_name("HOST:PORT");
}

void add_url_flag(CLI::App& command, RemoteFlags& flags) {
  command
      .add_option("--config", flags.config.config_path,
                  "configuration file that says where the server listens")
      ->type_name("FILE");
  command.add_option("--url", flags.url, "the running server [http://127.0.0.1:8080]")
      ->type_name("URL");
}

enum class Limit { kGiven, kNone };

void add_dlq_filters(CLI::App& command, DlqFlags& flags, Limit limit = Limit::kGiven) {
  add_url_flag(command, flags.remote);
  command.add_option("--topic", flags.topic, "only dead letters of this topic")->type_name("NAME");
  command.add_option("--code", flags.code, "only this reason, such as invalid_json")
      ->type_name("CODE");
  command.add_option("--sink", flags.sink, "only those that this sink's destination refused")
      ->type_name("NAME");
  command.add_option("--since", flags.since, "only those of this time or later (RFC 3339)")
      ->type_name("TIME");
  command.add_option("--until", flags.until, "only those before this time (RFC 3339)")
      ->type_name("TIME");
  command.add_flag("--quarantined", flags.quarantined,
                   "only those that were replayed too often already");
  if (limit == Limit::kNone) {
    return;
  }
  // The upper bound is for -1, which would be read as a large number.
  command.add_option("--limit", flags.limit, "at most so many [no limit]")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}).description(""))
      ->type_name("N");
}

struct Flags {
  UpFlags up;
  std::array<UpFlags, 4> roles;
  ConfigFlags config;
  ConfigFlags doctor;
  RemoteFlags topics;
  DlqFlags dlq;
  TopologyFlags topology;
  ArchiveFlags archive;
  bench::BenchOptions bench;
};

void add_dlq(CLI::App& app, DlqFlags& flags, int& exit_code) {
  CLI::App* dlq = add_group(app, "dlq", "dead letters: list, count, show, edit, replay, purge");
  add_dlq_filters(*add_command(*dlq, "list", "how many there are, by topic and reason", exit_code,
                               [&] { return run_dlq_list(flags); }),
                  flags);
  add_dlq_filters(*add_command(*dlq, "stats", "how many there are, by reason, sink and hour",
                               exit_code, [&] { return run_dlq_stats(flags); }),
                  flags, Limit::kNone);
  add_dlq_filters(*add_command(*dlq, "show", "each as one line of JSON, with its original bytes",
                               exit_code, [&] { return run_dlq_show(flags); }),
                  flags);
  CLI::App* replay = add_command(*dlq, "replay", "send them to their topics again", exit_code,
                                 [&] { return run_dlq_replay(flags); });
  add_dlq_filters(*replay, flags);
  replay->add_flag("--dry-run", flags.dry_run, "only say what would be sent, by reason and hour");
  replay->add_option("--rate", flags.rate, "events per second, at most (1 to 1000000)")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->type_name("N");
  replay->add_option("--patch", flags.patch, "edit each with this JSON Patch (RFC 6902) first")
      ->type_name("FILE");
  replay->add_option("--by", flags.by, "who does it, for `dlq audit` [the user]")
      ->type_name("NAME");
  CLI::App* purge = add_command(*dlq, "purge", "remove those of a topic, all or the older ones",
                                exit_code, [&] { return run_dlq_purge(flags); });
  add_url_flag(*purge, flags.remote);
  purge->add_option("--topic", flags.topic, "whose dead letters")->required()->type_name("NAME");
  purge->add_option("--until", flags.until, "only those before this time (RFC 3339)")
      ->type_name("TIME");
  purge->add_flag("--dry-run", flags.dry_run, "only say what would go, by reason and hour");
  purge->add_option("--by", flags.by, "who does it, for `dlq audit` [the user]")->type_name("NAME");
  CLI::App* audit =
      add_command(*dlq, "audit", "who replayed or purged which, when, and how it ended", exit_code,
                  [&] { return run_dlq_audit(flags); });
  add_url_flag(*audit, flags.remote);
  audit->add_option("--topic", flags.topic, "only dead letters of this topic")->type_name("NAME");
}

void add_topology(CLI::App& app, TopologyFlags& flags, int& exit_code) {
  CLI::App* topology =
      add_group(app, "topology", "topologies of stream programs: show one, compare two");
  CLI::App* show = add_command(*topology, "show", "its steps, as Kafka Streams prints them",
                               exit_code, [&] { return run_topology_show(flags); });
  add_url_flag(*show, flags.remote);
  show->add_option("place", flags.place, "a file that the program wrote, or an application's id")
      ->required()
      ->type_name("");
  show->add_flag("--mermaid", flags.mermaid, "as a flow chart in Mermaid's language");
  show->add_flag("--json", flags.json, "as JSON, for a file to compare with later")
      ->excludes("--mermaid");
  CLI::App* diff =
      add_command(*topology, "diff", "what a new version makes of the state of the old one",
                  exit_code, [&] { return run_topology_diff(flags); });
  diff->footer("Exit codes: 0 the new version can take over the state; 1 it cannot, or an error.");
  add_url_flag(*diff, flags.remote);
  diff->add_option("old", flags.before, "a file, or an application's id")
      ->required()
      ->type_name("");
  diff->add_option("new", flags.after, "a file, or an application's id")->required()->type_name("");
}

void add_archive(CLI::App& app, ArchiveFlags& flags, int& exit_code) {
  CLI::App* archive = add_group(app, "archive", "the archive: verify it, restore from it");
  CLI::App* verify =
      add_command(*archive, "verify", "read every file and say what is wrong, if anything",
                  exit_code, [&] { return run_archive_verify(flags); });
  add_config_flags(*verify, flags.config);
  verify->add_option("--topic", flags.topic, "only this topic")->type_name("NAME");
  CLI::App* restore = add_command(*archive, "restore", "bring a topic's records back into the log",
                                  exit_code, [&] { return run_archive_restore(flags); });
  add_config_flags(*restore, flags.config);
  restore->add_option("--topic", flags.topic, "the topic in the archive")
      ->required()
      ->type_name("NAME");
  restore->add_option("--to", flags.to, "the topic that gets them [the same]")->type_name("NAME");
  restore->add_flag("--among-others", flags.among_others,
                    "also into a topic that holds records of others");
}

// The roles of `up` as processes of their own, where Kafka is the log.
void add_roles(CLI::App& app, std::array<UpFlags, 4>& flags, int& exit_code) {
  flags[0] = {{}, "gateway", {.streams = false, .sink = false, .console = false}};
  flags[1] = {{}, "streams", {.gateway = false, .sink = false, .console = false}};
  flags[2] = {{}, "sink", {.gateway = false, .streams = false, .console = false}};
  flags[3] = {{}, "console", {.gateway = false, .streams = false, .sink = false}};
  constexpr std::array kAbouts = {"only take events (with Kafka as the log)",
                                  "only run the jobs (with Kafka as the log)",
                                  "only write the archive (with Kafka as the log)",
                                  "only list and read topics (with Kafka as the log)"};
  for (std::size_t i = 0; i < flags.size(); ++i) {
    UpFlags& role = flags[i];
    add_server_flags(*add_command(app, role.name.c_str(), kAbouts[i], exit_code,
                                  [&role] { return run_up(role); }),
                     role.config);
  }
}

void add_commands(CLI::App& app, Flags& flags, int& exit_code) {
  CLI::App* up = add_command(app, "up", "run everything in this process", exit_code,
                             [&] { return run_up(flags.up); });
  add_server_flags(*up, flags.up.config);
  up->add_flag("--accept-data-loss", flags.up.config.accept_data_loss,
               "start although the log is damaged, without what cannot be read");
  add_roles(app, flags.roles, exit_code);

  add_url_flag(*add_command(app, "topics", "topics and offsets of a running server", exit_code,
                            [&] { return run_topics(flags.topics); }),
               flags.topics);
  add_dlq(app, flags.dlq, exit_code);
  add_topology(app, flags.topology, exit_code);
  add_archive(app, flags.archive, exit_code);

  add_config_flags(*add_command(app, "doctor", "check a data directory and name what is damaged",
                                exit_code, [&] { return run_doctor(flags.doctor); }),
                   flags.doctor);

  CLI::App* config = add_group(app, "config", "check or show the configuration");
  add_config_flags(*add_command(*config, "check", "say what is wrong with it, if anything",
                                exit_code, [&] { return run_config_check(flags.config); }),
                   flags.config);
  add_config_flags(*add_command(*config, "show", "print it with every default filled in", exit_code,
                                [&] { return run_config_show(flags.config); }),
                   flags.config);

  bench::add_bench_options(*add_command(app, "bench", "measure: load, latency, exact counts",
                                        exit_code, [&] { return run_bench(flags.bench); }),
                           flags.bench);
}

}  // namespace

int run_command_line(int argument_count, const char* const* arguments) {
  int exit_code = kExitOk;
  Flags flags;
  CLI::App app(kAbout, "penstock");
  app.footer(kExitCodes);
  app.set_version_flag("--version", std::string("penstock ") + PENSTOCK_VERSION);
  app.require_subcommand(1);
  app.failure_message(failure_message);
  add_commands(app, flags, exit_code);
  const std::string unknown = unknown_command(&app, argument_count, arguments);
  if (!unknown.empty()) {
    std::cerr << "penstock: " << unknown << '\n';
    return kExitUsage;
  }
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return exit_code;
}

}  // namespace penstock::app
