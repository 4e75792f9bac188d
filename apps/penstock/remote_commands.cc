// penstock topics and penstock dlq: what works on a running server.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <utility>

#include "core/bytes.h"
#include "core/rfc3339.h"
#include "os/file_system.h"
#include "penstock/commands.h"
#include "penstock/configuration.h"
#include "penstock/dead_letters.h"
#include "penstock/exit_code.h"
#include "penstock/remote.h"
#include "schema/json_patch.h"

namespace penstock::app {
namespace {

Result<std::optional<std::int64_t>> parse_time(const char* option, const std::string& text) {
  if (text.empty()) {
    return std::optional<std::int64_t>();
  }
  const auto time = parse_rfc3339(text);
  if (!time) {
    return Error(ErrorCode::kInvalid, std::string(option) + ": \"" + text +
                                          "\" is not a time such as 2026-01-31T08:00:00Z");
  }
  return time;
}

Result<DeadLetterFilter> filter_of(const DlqFlags& flags) {
  DeadLetterFilter filter;
  filter.topic = flags.topic;
  filter.code = flags.code;
  filter.sink = flags.sink;
  PENSTOCK_TRY_ASSIGN(filter.since_ms, parse_time("--since", flags.since));
  PENSTOCK_TRY_ASSIGN(filter.until_ms, parse_time("--until", flags.until));
  if (flags.quarantined) {
    filter.quarantined = true;
  }
  if (flags.limit > 0) {
    filter.limit = flags.limit;
  }
  return filter;
}

Status show_topics(const RemoteFlags& flags) {
  PENSTOCK_TRY_ASSIGN(Remote remote, connect(flags));
  PENSTOCK_TRY_ASSIGN(const std::vector<RemoteTopic> topics, remote.topics());
  std::size_t width = 5;
  for (const RemoteTopic& topic : topics) {
    width = std::max(width, topic.name.size());
  }
  std::printf("%-*s  %10s  %14s\n", static_cast<int>(width), "TOPIC", "PARTITIONS", "RECORDS");
  for (const RemoteTopic& topic : topics) {
    std::printf("%-*s  %10zu  %14lld\n", static_cast<int>(width), topic.name.c_str(),
                topic.partitions.size(), static_cast<long long>(topic.record_count()));
  }
  return {};
}

using Show = Status (*)(Remote&, const DeadLetterFilter&, std::ostream&);

Status show(const DlqFlags& flags, Show what) {
  PENSTOCK_TRY_ASSIGN(const DeadLetterFilter filter, filter_of(flags));
  PENSTOCK_TRY_ASSIGN(Remote remote, connect(flags.remote));
  return what(remote, filter, std::cout);
}

// Whoever is logged in here, for the notes.
std::string this_user() {
  for (const char* name : {"USER", "LOGNAME"}) {
    for (const std::string& variable : environment()) {
      if (variable.starts_with(std::string(name) + "=") &&
          variable.size() > std::strlen(name) + 1) {
        return variable.substr(std::strlen(name) + 1);
      }
    }
  }
  return "unknown";
}

Result<std::string> read_patch(const std::string& path) {
  const auto files = os::make_posix_file_system();
  auto bytes = os::read_file(*files, path);
  if (!bytes) {
    return Error(ErrorCode::kInvalid, "--patch: " + bytes.error().message());
  }
  std::string patch(as_text(*bytes));
  if (const auto parsed = JsonPatch::parse(patch); !parsed) {
    return parsed.error().with("--patch " + path);
  }
  return patch;
}

std::string actor(const DlqFlags& flags) {
  return flags.by.empty() ? this_user() : flags.by;
}

Status purge(const DlqFlags& flags) {
  PENSTOCK_TRY_ASSIGN(const DeadLetterFilter filter, filter_of(flags));
  PENSTOCK_TRY_ASSIGN(Remote remote, connect(flags.remote));
  if (flags.dry_run) {
    std::cout << "would purge:\n";
    return count_dead_letters(remote, filter, std::cout);
  }
  PENSTOCK_TRY_ASSIGN(const std::uint64_t count, purge_dead_letters(remote, filter, actor(flags)));
  std::cout << "purged " << count << " dead letters of " << flags.topic << '\n';
  return {};
}

Status dry_run(Remote& remote, DeadLetterFilter filter) {
  filter.quarantined = filter.quarantined.value_or(false);
  std::cout << (*filter.quarantined ? "would replay, out of quarantine:\n" : "would replay:\n");
  return count_dead_letters(remote, filter, std::cout);
}

Status replay(const DlqFlags& flags) {
  ReplayOptions options;
  PENSTOCK_TRY_ASSIGN(options.filter, filter_of(flags));
  options.events_per_second = flags.rate;
  options.by = actor(flags);
  if (!flags.patch.empty()) {
    PENSTOCK_TRY_ASSIGN(options.patch, read_patch(flags.patch));
  }
  PENSTOCK_TRY_ASSIGN(Remote remote, connect(flags.remote));
  if (flags.dry_run) {
    return dry_run(remote, options.filter);
  }
  PENSTOCK_TRY_ASSIGN(const ReplaySummary summary, replay_dead_letters(remote, options, std::cerr));
  for (const auto& [code, count] : summary.by_code) {
    std::cout << "replayed " << count << " " << code << '\n';
  }
  if (summary.by_code.empty()) {
    std::cout << "no dead letters to replay\n";
  } else {
    std::cout << summary.accepted << " accepted, " << summary.duplicates << " known already, "
              << summary.dead_lettered << " refused again, " << summary.not_taken
              << " not taken at all\n";
  }
  if (summary.in_quarantine > 0) {
    std::cout << summary.in_quarantine
              << " left in quarantine, because they were replayed too often already (see "
                 "--quarantined)\n";
  }
  return {};
}

}  // namespace

Result<Remote> connect(const RemoteFlags& flags) {
  if (!flags.url.empty()) {
    return Remote::connect(flags.url);
  }
  PENSTOCK_TRY_ASSIGN(const config::PipelineConfig config, load_configuration(flags.config));
  return Remote::connect("http://" + config.http.listen);
}

int run_topics(const RemoteFlags& flags) {
  return exit_code_of(show_topics(flags));
}

int run_dlq_list(const DlqFlags& flags) {
  return exit_code_of(show(flags, list_dead_letters));
}

int run_dlq_stats(const DlqFlags& flags) {
  return exit_code_of(show(flags, count_dead_letters));
}

int run_dlq_show(const DlqFlags& flags) {
  return exit_code_of(show(flags, show_dead_letters));
}

int run_dlq_audit(const DlqFlags& flags) {
  return exit_code_of(show(flags, show_dead_letter_actions));
}

int run_dlq_purge(const DlqFlags& flags) {
  return exit_code_of(purge(flags));
}

int run_dlq_replay(const DlqFlags& flags) {
  return exit_code_of(replay(flags));
}

}  // namespace penstock::app
