// CredentialsSource finds out who we are for an S3 server, where AWS's own tools would look:
//
//   1. the settings
//   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   3. the file AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, profile AWS_PROFILE or "default"
//   4. the container's endpoint: AWS_CONTAINER_CREDENTIALS_FULL_URI or ..._RELATIVE_URI
//   5. the instance's role: version 2 of the metadata service, AWS_EC2_METADATA_SERVICE_ENDPOINT or
//      169.254.169.254, unless AWS_EC2_METADATA_DISABLED is "true"
//
// The first place that has some is taken. Those that expire are asked for again five minutes
// before.
//
// Threads   one.
// Lifetime  everything given to the constructor outlives it.
// Errors    kRetry  nobody has credentials for us, or the endpoint does not answer; never a secret
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "net/http_client.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace penstock::sinks {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty: none
  std::optional<os::WallTime> expires_at = {};
};

class CredentialsSource {
 public:
  // Asks the server of `url` once.
  using Ask = std::function<Result<net::ClientResponse>(const net::Url& url,
                                                        const net::ClientRequest& request)>;

  struct Options {
    std::optional<Credentials> settings;
    std::vector<std::string> environment;  // "NAME=value"
  };

  CredentialsSource(os::FileSystem& files, const os::Clock& clock, Ask ask, Options options);

  [[nodiscard]] Result<Credentials> get();

  // They were refused: the next get() looks again.
  void forget() { known_.reset(); }

 private:
  [[nodiscard]] Result<Credentials> find();
  [[nodiscard]] std::string variable(const std::string& name) const;
  [[nodiscard]] std::optional<Credentials> from_environment() const;
  [[nodiscard]] std::optional<Credentials> from_file() const;
  [[nodiscard]] Result<Credentials> from_container(const std::string& uri);
  [[nodiscard]] Result<Credentials> from_instance();
  [[nodiscard]] Result<std::string> ask(const net::Url& url, const net::ClientRequest& request);

  os::FileSystem& files_;
  const os::Clock& clock_;
  const Ask ask_;
  const Options options_;
  std::optional<Credentials> known_;
};

}  // namespace penstock::sinks
