// RiskClient asks a risk service over HTTP: GET <url>/<card> -> a number from 0 to 100.
//
// Its HTTP client waits for answers, so it has threads of its own.
//
// Threads   ask() from any; answers come from threads of this object.
// Errors    kInvalid  the service says that it does not know the card (4xx), or gives no number
//           kRetry    it fails (5xx), is not there, or too slow
//           kBusy     too many questions wait
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/guarded.h"
#include "core/result.h"
#include "fraud/fraud.h"
#include "net/http_client.h"
#include "os/call_pool.h"

namespace fraud {

class RiskClient {
 public:
  explicit RiskClient(penstock::net::Url url) : url_(std::move(url)) {}

  void ask(const std::string& card, RiskAnswer answer);

 private:
  [[nodiscard]] penstock::Result<std::int64_t> fetch(const std::string& card);

  // A connection that nobody uses, or a new one.
  [[nodiscard]] penstock::net::HttpClient take_connection();

  static constexpr std::size_t kThreads = 8;
  static constexpr std::size_t kWaitingMax = 1'000;

  const penstock::net::Url url_;
  penstock::Guarded<std::vector<penstock::net::HttpClient>> idle_;
  penstock::os::CallPool pool_{kThreads, kWaitingMax};  // last: its threads use what is above
};

}  // namespace fraud
