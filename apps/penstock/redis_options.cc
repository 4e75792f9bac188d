#include "penstock/redis_options.h"

#include <optional>
#include <string>
#include <utility>

#include "config/key_template.h"
#include "config/secrets.h"
#include "config/server_address.h"
#include "core/check.h"
#include "penstock/configuration.h"

namespace penstock::app {
namespace {

using Mode = sinks::RedisUpdates::Mode;
using ScoreUpdate = sinks::RedisUpdates::ScoreUpdate;
using sinks::RedisDeployment;

// Of texts that config has looked at.
template <typename T>
T checked(std::optional<T> parsed) {
  PENSTOCK_CHECK(parsed.has_value());
  return *std::move(parsed);
}

Mode mode_of(const std::string& text) {
  return text == "counter"      ? Mode::kCounter
         : text == "sorted_set" ? Mode::kSortedSet
         : text == "session"    ? Mode::kSession
                                : Mode::kLatest;
}

ScoreUpdate score_update_of(const std::string& text) {
  return text == "add"   ? ScoreUpdate::kAdd
         : text == "max" ? ScoreUpdate::kMax
         : text == "min" ? ScoreUpdate::kMin
                         : ScoreUpdate::kSet;
}

RedisDeployment deployment_of(const std::string& text) {
  return text == "sentinel"  ? RedisDeployment::kSentinel
         : text == "cluster" ? RedisDeployment::kCluster
                             : RedisDeployment::kSingle;
}

Result<std::optional<std::string>> secret(const std::optional<std::string>& reference,
                                          os::FileSystem& files, const std::string& place) {
  if (!reference.has_value()) {
    return std::optional<std::string>();
  }
  auto resolved = config::resolve_reference(*reference, files, environment());
  if (!resolved) {
    return resolved.error().with(place);
  }
  return std::optional<std::string>(*std::move(resolved));
}

sinks::RedisUpdates::Options updates_of(const config::RedisSettings& settings) {
  sinks::RedisUpdates::Options options;
  options.mode = mode_of(settings.mode);
  options.key = checked(config::parse_key_template(settings.key));
  for (const std::string& text : settings.fields) {
    options.fields.push_back(checked(config::parse_hash_field(text)));
  }
  if (settings.field.has_value()) {
    options.field = checked(config::parse_key_template(*settings.field));
  }
  options.increment = settings.increment;
  if (settings.member.has_value()) {
    options.member = checked(config::parse_key_template(*settings.member));
  }
  options.score = settings.score.value_or("");
  options.score_update = score_update_of(settings.score_update);
  options.ttl = settings.ttl;
  return options;
}

sinks::RedisConnection::Options connection_of(const config::RedisSettings& settings) {
  sinks::RedisConnection::Options options;
  if (settings.tls) {
    options.tls = {settings.tls_ca_file, settings.tls_certificate_file, settings.tls_key_file};
  }
  options.client_name = "penstock-sink-" + settings.name;
  options.connect_timeout = settings.connect_timeout;
  options.request_timeout = settings.request_timeout;
  return options;
}

}  // namespace

Result<sinks::RedisDestination::Options> redis_options(const config::RedisSettings& settings,
                                                       os::FileSystem& files) {
  const std::string place = "redis \"" + settings.name + "\": ";
  sinks::RedisDestination::Options options;
  options.sink = settings.name;
  options.topic = settings.topic;
  options.updates = updates_of(settings);

  sinks::RedisServers::Options& servers = options.servers;
  servers.deployment = deployment_of(settings.deployment);
  for (const std::string& text : settings.servers) {
    servers.addresses.push_back(checked(config::parse_server_address(text)));
  }
  servers.master = settings.master.value_or("");
  servers.sentinel_connection = connection_of(settings);
  servers.sentinel_connection.protocol = 2;
  servers.sentinel_connection.user = settings.sentinel_user;
  PENSTOCK_TRY_ASSIGN(servers.sentinel_connection.password,
                      secret(settings.sentinel_password, files, place + "sentinel_password"));
  servers.connection = connection_of(settings);
  servers.connection.protocol = static_cast<std::uint32_t>(settings.protocol);
  servers.connection.database = static_cast<std::uint32_t>(settings.database);
  servers.connection.user = settings.user;
  PENSTOCK_TRY_ASSIGN(servers.connection.password,
                      secret(settings.password, files, place + "password"));
  return options;
}

}  // namespace penstock::app
