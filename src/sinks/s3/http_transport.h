// HttpTransport carries requests to one server: the real one over net::HttpClient, in tests a fake.
//
// Threads   one; interrupt() from any.
// Errors    kRetry  no answer: whether the server has acted is not known
#pragma once

#include <memory>
#include <utility>

#include "net/http_client.h"

namespace penstock::sinks {

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  [[nodiscard]] virtual Result<net::ClientResponse> send(const net::ClientRequest& request) = 0;
  // Ends a send() that is under way, and all later ones.
  virtual void interrupt() = 0;
};

class NetTransport final : public HttpTransport {
 public:
  explicit NetTransport(net::HttpClient::Options options) : client_(std::move(options)) {}

  [[nodiscard]] Result<net::ClientResponse> send(const net::ClientRequest& request) override {
    return client_.send(request);
  }

  void interrupt() override { client_.interrupt(); }

 private:
  net::HttpClient client_;
};

}  // namespace penstock::sinks
