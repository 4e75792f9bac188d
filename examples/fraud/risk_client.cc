#include "fraud/risk_client.h"

#include <charconv>
#include <chrono>
#include <utility>

namespace fraud {

using penstock::Error;
using penstock::ErrorCode;
using penstock::Result;
using penstock::Status;
using penstock::net::HttpClient;

namespace {

constexpr int kOk = 200;
constexpr int kServerErrors = 500;

}  // namespace

void RiskClient::ask(const std::string& card, RiskAnswer answer) {
  const Status taken = pool_.run([this, card, answer] { answer(fetch(card)); });
  if (!taken) {
    answer(taken.error());
  }
}

HttpClient RiskClient::take_connection() {
  return idle_.with([this](std::vector<HttpClient>& idle) {
    if (idle.empty()) {
      HttpClient::Options options;
      options.host = url_.host;
      options.port = url_.port;
      options.tls = url_.tls;
      options.request_timeout = std::chrono::milliseconds(1'000);
      return HttpClient(std::move(options));
    }
    HttpClient client = std::move(idle.back());
    idle.pop_back();
    return client;
  });
}

Result<std::int64_t> RiskClient::fetch(const std::string& card) {
  HttpClient client = take_connection();
  const auto response = client.get(url_.target + "/" + card);
  if (!response) {
    return response.error();
  }
  idle_.with([&](std::vector<HttpClient>& idle) { idle.push_back(std::move(client)); });
  if (response->status >= kServerErrors) {
    return Error(ErrorCode::kRetry, "the risk service answers " + std::to_string(response->status));
  }
  std::int64_t score = 0;
  const std::string& body = response->body;
  const auto read = std::from_chars(body.data(), body.data() + body.size(), score);
  if (response->status != kOk || read.ec != std::errc()) {
    return Error(ErrorCode::kInvalid, "the risk service does not know card " + card);
  }
  return score;
}

}  // namespace fraud
