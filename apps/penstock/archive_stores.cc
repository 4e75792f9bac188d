#include "penstock/archive_stores.h"

#include <string>
#include <utility>

#include "config/secrets.h"
#include "net/http_client.h"
#include "penstock/configuration.h"
#include "sinks/archive/local_archive_store.h"
#include "sinks/s3/s3_archive_store.h"

namespace penstock::app {
namespace {

using config::ArchiveSettings;

std::string variable(const std::vector<std::string>& variables, const std::string& name) {
  for (const std::string& entry : variables) {
    if (entry.starts_with(name + "=")) {
      return entry.substr(name.size() + 1);
    }
  }
  return "";
}

std::string region_of(const ArchiveSettings& settings, const std::vector<std::string>& variables) {
  for (const std::string& region : {settings.region.value_or(""), variable(variables, "AWS_REGION"),
                                    variable(variables, "AWS_DEFAULT_REGION")}) {
    if (!region.empty()) {
      return region;
    }
  }
  return "us-east-1";
}

Result<std::string> resolved(const std::optional<std::string>& value, const char* setting,
                             os::FileSystem& files, const std::vector<std::string>& variables) {
  auto text = config::resolve_reference(value.value_or(""), files, variables);
  return text ? std::move(text) : text.error().with(std::string("archive.") + setting);
}

Result<std::optional<sinks::Credentials>> credentials_of(
    const ArchiveSettings& settings, os::FileSystem& files,
    const std::vector<std::string>& variables) {
  if (!settings.access_key_id.has_value()) {
    return std::optional<sinks::Credentials>();
  }
  sinks::Credentials found;
  PENSTOCK_TRY_ASSIGN(found.access_key_id,
                      resolved(settings.access_key_id, "access_key_id", files, variables));
  PENSTOCK_TRY_ASSIGN(found.secret_access_key,
                      resolved(settings.secret_access_key, "secret_access_key", files, variables));
  PENSTOCK_TRY_ASSIGN(found.session_token,
                      resolved(settings.session_token, "session_token", files, variables));
  return std::optional(std::move(found));
}

net::HttpClient::Options client_options(const net::Url& url, const ArchiveSettings& settings) {
  net::HttpClient::Options options;
  options.host = url.host;
  options.port = url.port;
  options.tls = url.tls;
  options.ca_file = settings.ca_file.value_or("");
  options.connect_timeout = settings.connect_timeout;
  options.request_timeout = settings.request_timeout;
  return options;
}

// Of the endpoints that give credentials: each is asked rarely, so a connection is not kept.
Result<net::ClientResponse> ask_once(const net::Url& url, const net::ClientRequest& request) {
  net::HttpClient client({.host = url.host,
                          .port = url.port,
                          .tls = url.tls,
                          .connect_timeout = std::chrono::seconds(1),
                          .request_timeout = std::chrono::seconds(5)});
  return client.send(request);
}

Result<std::unique_ptr<sinks::ArchiveStore>> s3_store(const config::PipelineConfig& config,
                                                      const StoreSurroundings& surroundings) {
  const ArchiveSettings& settings = config.archive;
  const std::vector<std::string> variables = environment();
  sinks::CredentialsSource::Options credentials;
  credentials.environment = variables;
  PENSTOCK_TRY_ASSIGN(credentials.settings,
                      credentials_of(settings, surroundings.files, variables));
  sinks::S3Client::Options options;
  options.bucket = *settings.bucket;
  options.region = region_of(settings, variables);
  options.bucket_in_path = settings.addressing == "path" ||
                           (settings.addressing == "auto" && settings.endpoint.has_value());
  PENSTOCK_TRY_ASSIGN(net::Url url, net::parse_url(settings.endpoint.value_or(
                                        "https://s3." + options.region + ".amazonaws.com")));
  if (!options.bucket_in_path) {
    url.host = options.bucket + "." + url.host;
  }
  options.host = net::host_header(url.host, url.port, url.tls);
  auto source = std::make_unique<sinks::CredentialsSource>(surroundings.files, surroundings.clock,
                                                           ask_once, std::move(credentials));
  auto client = std::make_unique<sinks::S3Client>(
      surroundings.clock, surroundings.random, surroundings.registry,
      std::make_unique<sinks::NetTransport>(client_options(url, settings)), *source,
      std::move(options));
  return std::unique_ptr<sinks::ArchiveStore>(std::make_unique<sinks::S3ArchiveStore>(
      surroundings.files, std::move(source), std::move(client),
      sinks::S3ArchiveStore::Options{.prefix = settings.prefix,
                                     .spool_directory = config.archive_spool_directory(),
                                     .part_size = settings.part_size}));
}

}  // namespace

Result<std::vector<std::unique_ptr<sinks::ArchiveStore>>> archive_stores(
    const config::PipelineConfig& config, const StoreSurroundings& surroundings) {
  std::vector<std::unique_ptr<sinks::ArchiveStore>> stores;
  if (config.archives_locally()) {
    stores.push_back(
        std::make_unique<sinks::LocalArchiveStore>(surroundings.files, config.archive_directory()));
  }
  if (config.archives_to_s3()) {
    PENSTOCK_TRY_ASSIGN(auto store, s3_store(config, surroundings));
    stores.push_back(std::move(store));
  }
  return stores;
}

}  // namespace penstock::app
