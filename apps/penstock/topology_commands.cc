// penstock topology show and penstock topology diff: topologies of programs, from files that they
// wrote or from the log of a running server.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json_tree.h"
#include "engine/stored_topology.h"
#include "os/file_system.h"
#include "penstock/commands.h"
#include "penstock/configuration.h"
#include "penstock/exit_code.h"
#include "penstock/remote.h"
#include "topology/description.h"
#include "topology/topology_diff.h"

namespace penstock::app {
namespace {

using topology::TopologyDescription;

// What the server's log says of one application, if this line of events does.
std::optional<std::string> description_in(std::string_view line, std::string_view application) {
  const auto event = parse_json(line);
  const JsonTree* value = event ? event->find("value") : nullptr;
  if (value == nullptr || event->text_of("key") != application) {
    return std::nullopt;
  }
  const auto bytes = decode_base64(value->text_of("base64"));
  return bytes ? std::optional<std::string>(as_text(*bytes)) : std::nullopt;
}

Result<std::string> ask_server(const RemoteFlags& flags, const std::string& application) {
  PENSTOCK_TRY_ASSIGN(Remote remote, connect(flags));
  PENSTOCK_TRY_ASSIGN(const std::vector<RemoteTopic> topics, remote.topics());
  std::string latest;
  for (const RemoteTopic& topic : topics) {
    if (topic.name != engine::kTopologiesTopic) {
      continue;
    }
    const RemotePartition& partition = topic.partitions.front();
    for (std::int64_t offset = partition.start; offset < partition.end;) {
      PENSTOCK_TRY_ASSIGN(const std::string body,
                          remote.get("/v1/topics/" + topic.name +
                                     "/events?partition=0&value=base64&limit=100&offset=" +
                                     std::to_string(offset)));
      const std::int64_t before = offset;
      for (std::size_t begin = 0; begin < body.size();) {
        const std::size_t end = std::min(body.find('\n', begin), body.size());
        const std::string_view line = std::string_view(body).substr(begin, end - begin);
        latest = description_in(line, application).value_or(latest);
        const auto event = parse_json(line);
        offset = std::max(offset, event ? event->integer_of("offset").value_or(-1) + 1 : offset);
        begin = end + 1;
      }
      if (offset == before) {
        break;  // nothing but what compaction removed lies there
      }
    }
  }
  if (latest.empty()) {
    return Error(ErrorCode::kNotFound, "there is no file \"" + application +
                                           "\", and the server knows no application of "
                                           "that name that has state");
  }
  return latest;
}

// `place` is a file, or else the id of an application.
Result<TopologyDescription> load(const RemoteFlags& flags, const std::string& place) {
  const std::unique_ptr<os::FileSystem> files = os::make_posix_file_system();
  PENSTOCK_TRY_ASSIGN(const bool is_file, files->exists(place));
  std::string json;
  if (is_file) {
    PENSTOCK_TRY_ASSIGN(const Bytes bytes, os::read_file(*files, place));
    json = as_text(bytes);
  } else {
    PENSTOCK_TRY_ASSIGN(json, ask_server(flags, place));
  }
  auto description = topology::parse_description(json);
  return description ? std::move(description) : description.error().with("\"" + place + "\"");
}

}  // namespace

int run_topology_show(const TopologyFlags& flags) {
  const auto description = load(flags.remote, flags.place);
  if (!description) {
    return exit_code_of(Status(description.error()));
  }
  std::cout << (flags.mermaid ? to_mermaid(*description)
                : flags.json  ? to_json(*description) + "\n"
                              : to_text(*description));
  return kExitOk;
}

int run_topology_diff(const TopologyFlags& flags) {
  const auto before = load(flags.remote, flags.before);
  if (!before) {
    return exit_code_of(Status(before.error()));
  }
  const auto after = load(flags.remote, flags.after);
  if (!after) {
    return exit_code_of(Status(after.error()));
  }
  const topology::TopologyDiff found = diff(*before, *after);
  std::cout << to_text(found)
            << (found.is_compatible()
                    ? "The new version can take over the state of the old one.\n"
                    : "The new version cannot take over the state of the old one.\n");
  return found.is_compatible() ? kExitOk : kExitFailed;
}

}  // namespace penstock::app
