// The subcommands of `penstock`: each takes what the command line gave it and returns an ExitCode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "penstock/bench/bench.h"
#include "penstock/pipeline.h"
#include "penstock/remote.h"

namespace penstock::app {

// What every command that reads the configuration takes.
struct ConfigFlags {
  std::string config_path;  // empty: penstock.toml if it is there, else the defaults
  std::string data_dir;     // overrides of the file; empty: not given
  std::string listen;
  bool accept_data_loss = false;  // of `up`: go on without what is damaged
};

// What `up` and the commands of single roles run; `name` is for messages.
struct UpFlags {
  ConfigFlags config;
  std::string name;
  Roles roles;
};

[[nodiscard]] int run_up(const UpFlags& flags);
[[nodiscard]] int run_config_check(const ConfigFlags& flags);
[[nodiscard]] int run_config_show(const ConfigFlags& flags);

// `url` empty: the address that the configuration listens on.
struct RemoteFlags {
  ConfigFlags config;
  std::string url;
};

[[nodiscard]] Result<Remote> connect(const RemoteFlags& flags);

[[nodiscard]] int run_topics(const RemoteFlags& flags);

struct TopologyFlags {
  RemoteFlags remote;
  std::string place;   // of show: a file or an application
  std::string before;  // of diff, the same
  std::string after;
  bool mermaid = false;
  bool json = false;
};

[[nodiscard]] int run_topology_show(const TopologyFlags& flags);
[[nodiscard]] int run_topology_diff(const TopologyFlags& flags);

struct DlqFlags {
  RemoteFlags remote;
  std::string topic;
  std::string code;
  std::string sink;
  std::string since;
  std::string until;
  std::uint64_t limit = 0;  // 0: no limit
  std::uint64_t rate = 1000;
  std::string patch;  // path of a file
  std::string by;
  bool quarantined = false;
  bool dry_run = false;
};

[[nodiscard]] int run_dlq_list(const DlqFlags& flags);
[[nodiscard]] int run_dlq_stats(const DlqFlags& flags);
[[nodiscard]] int run_dlq_show(const DlqFlags& flags);
[[nodiscard]] int run_dlq_audit(const DlqFlags& flags);
[[nodiscard]] int run_dlq_purge(const DlqFlags& flags);
[[nodiscard]] int run_dlq_replay(const DlqFlags& flags);

struct ArchiveFlags {
  ConfigFlags config;
  std::string topic;
  std::string to;
  bool among_others = false;
};

[[nodiscard]] int run_archive_verify(const ArchiveFlags& flags);
[[nodiscard]] int run_archive_restore(const ArchiveFlags& flags);

[[nodiscard]] int run_doctor(const ConfigFlags& flags);

[[nodiscard]] int run_bench(const bench::BenchOptions& options);

}  // namespace penstock::app
