#include "sinks/s3/credentials.h"

#include <utility>

#include "core/rfc3339.h"
#include "sinks/s3/json_fields.h"

namespace penstock::sinks {
namespace {

constexpr std::chrono::minutes kRenewBefore{5};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// The value of `key` in the section [profile] of an INI file; empty if there is none.
std::string ini_value(std::string_view text, std::string_view profile, std::string_view key) {
  bool is_in_profile = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t equals = line.find('=');
    if (line.starts_with('[')) {
      is_in_profile = line.ends_with(']') && trimmed(line.substr(1, line.size() - 2)) == profile;
    } else if (is_in_profile && equals != std::string_view::npos &&
               trimmed(line.substr(0, equals)) == key) {
      return std::string(trimmed(line.substr(equals + 1)));
    }
  }
  return "";
}

// What both kinds of endpoint answer.
Result<Credentials> parse_answer(const std::string& body) {
  const auto fields =
      json_fields(body, {"/AccessKeyId", "/SecretAccessKey", "/Token", "/Expiration"});
  if (!fields[0].has_value() || !fields[1].has_value()) {
    return Error(ErrorCode::kRetry, "the answer of the credentials' endpoint holds none");
  }
  Credentials found{*fields[0], *fields[1], fields[2].value_or("")};
  if (fields[3].has_value()) {
    if (const auto milliseconds = parse_rfc3339(*fields[3])) {
      found.expires_at = os::WallTime(std::chrono::milliseconds(*milliseconds));
    }
  }
  return found;
}

}  // namespace

CredentialsSource::CredentialsSource(os::FileSystem& files, const os::Clock& clock, Ask ask,
                                     Options options)
    : files_(files), clock_(clock), ask_(std::move(ask)), options_(std::move(options)) {}

Result<Credentials> CredentialsSource::get() {
  if (known_.has_value() && known_->expires_at.has_value() &&
      *known_->expires_at - kRenewBefore <= clock_.wall_now()) {
    known_.reset();
  }
  if (!known_.has_value()) {
    PENSTOCK_TRY_ASSIGN(known_, find());
  }
  return *known_;
}

std::string CredentialsSource::variable(const std::string& name) const {
  for (const std::string& entry : options_.environment) {
    if (entry.starts_with(name + "=")) {
      return entry.substr(name.size() + 1);
    }
  }
  return "";
}

Result<Credentials> CredentialsSource::find() {
  if (options_.settings.has_value()) {
    return *options_.settings;
  }
  if (const auto found = from_environment()) {
    return *found;
  }
  if (const auto found = from_file()) {
    return *found;
  }
  const std::string full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!full.empty() || !relative.empty()) {
    return from_container(full.empty() ? "http://169.254.170.2" + relative : full);
  }
  if (variable("AWS_EC2_METADATA_DISABLED") != "true") {
    auto found = from_instance();
    return found ? std::move(found)
                 : found.error().with(
                       "no credentials for S3 in the settings, the environment or "
                       "~/.aws/credentials, nor from the role of this machine");
  }
  return Error(ErrorCode::kRetry,
               "no credentials for S3 in the settings, the environment or ~/.aws/credentials");
}

std::optional<Credentials> CredentialsSource::from_environment() const {
  Credentials found{variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"),
                    variable("AWS_SESSION_TOKEN")};
  if (found.access_key_id.empty() || found.secret_access_key.empty()) {
    return std::nullopt;
  }
  return found;
}

std::optional<Credentials> CredentialsSource::from_file() const {
  std::string path = variable("AWS_SHARED_CREDENTIALS_FILE");
  if (path.empty() && !variable("HOME").empty()) {
    path = os::join_path(variable("HOME"), ".aws/credentials");
  }
  const auto contents = path.empty() ? Result<Bytes>(Bytes()) : os::read_file(files_, path);
  if (!contents.has_value()) {
    return std::nullopt;
  }
  const std::string wanted = variable("AWS_PROFILE");
  const std::string profile = wanted.empty() ? "default" : wanted;
  const auto value = [&](std::string_view key) {
    return ini_value(as_text(*contents), profile, key);
  };
  Credentials found{value("aws_access_key_id"), value("aws_secret_access_key"),
                    value("aws_session_token")};
  if (found.access_key_id.empty() || found.secret_access_key.empty()) {
    return std::nullopt;
  }
  return found;
}

Result<std::string> CredentialsSource::ask(const net::Url& url, const net::ClientRequest& request) {
  PENSTOCK_TRY_ASSIGN(const net::ClientResponse response, ask_(url, request));
  if (response.status != 200) {
    return Error(ErrorCode::kRetry, "the credentials' endpoint " + url.host + " answered " +
                                        std::to_string(response.status));
  }
  return response.body;
}

Result<Credentials> CredentialsSource::from_container(const std::string& uri) {
  PENSTOCK_TRY_ASSIGN(const net::Url url, net::parse_url(uri));
  std::string token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !path.empty()) {
    PENSTOCK_TRY_ASSIGN(const Bytes contents, os::read_file(files_, path));
    token = trimmed(as_text(contents));
  }
  net::ClientRequest request{.target = url.target};
  if (!token.empty()) {
    request.headers.emplace_back("Authorization", token);
  }
  PENSTOCK_TRY_ASSIGN(const std::string body, ask(url, request));
  return parse_answer(body);
}

Result<Credentials> CredentialsSource::from_instance() {
  const std::string endpoint = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  PENSTOCK_TRY_ASSIGN(const net::Url url,
                      net::parse_url(endpoint.empty() ? "http://169.254.169.254" : endpoint));
  PENSTOCK_TRY_ASSIGN(const std::string token,
                      ask(url, {.method = "PUT",
                                .target = "/latest/api/token",
                                .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}}));
  const std::string path = "/latest/meta-data/iam/security-credentials/";
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"X-aws-ec2-metadata-token", token}};
  PENSTOCK_TRY_ASSIGN(const std::string role, ask(url, {.target = path, .headers = headers}));
  PENSTOCK_TRY_ASSIGN(const std::string body,
                      ask(url, {.target = path + std::string(trimmed(role)), .headers = headers}));
  return parse_answer(body);
}

}  // namespace penstock::sinks
