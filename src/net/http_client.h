// HttpClient is a small blocking HTTP/1.1 client: for the command line, for tests, and for sinks
// that speak HTTP to their destination.
//
// One connection, plain or TLS, kept open between requests and opened again where the server has
// closed it. For load generation it is too slow on purpose: see bench/.
//
// Threads   belongs to one thread at a time; interrupt() from any.
// Errors    kRetry    no connection, connection lost, or no answer in time: for a POST, whether the
//                     server has acted on it is unknown
//           kInvalid  the URL cannot be read, or what came back is not HTTP
//           An answer of any status is not an error.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/units.h"

namespace penstock::net {

struct Url {
  bool tls = false;
  std::string host;
  std::uint16_t port = 80;
  std::string target = "/";  // path and query
};

// "http://host[:port][/path][?query]", or https; kInvalid for all else.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers{};  // beside Host, Content-Length
  std::string_view body{};
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // The first header of that name, in any case; empty if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// The value of the Host header: without the port where it is the scheme's own.
[[nodiscard]] std::string host_header(const std::string& host, std::uint16_t port, bool tls);

class HttpClient {
 public:
  struct Options {
    std::string host = "127.0.0.1";  // name or address
    std::uint16_t port = 80;
    bool tls = false;     // the server's certificate must be for `host`
    std::string ca_file;  // PEM; empty: what the system trusts
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds request_timeout{30'000};
    std::size_t body_bytes_max = 64 * kMiB;
  };

  explicit HttpClient(Options options);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  [[nodiscard]] Result<ClientResponse> send(const ClientRequest& request);

  // Ends a send() that is under way with kRetry, and all later ones.
  void interrupt();

  // Short forms of send().
  [[nodiscard]] Result<ClientResponse> get(std::string_view target);
  [[nodiscard]] Result<ClientResponse> post(std::string_view target, std::string_view body);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::net
