#include "penstock/remote.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace penstock::app {
namespace {

ErrorCode code_for_status(int status) {
  switch (status) {
    case 404:
      return ErrorCode::kNotFound;
    case 429:
    case 503:
      return ErrorCode::kBusy;
    default:
      return status >= 500 ? ErrorCode::kFatal : ErrorCode::kInvalid;
  }
}

// The server's own words where it sent some.
std::string message_of(const net::ClientResponse& response) {
  const auto body = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (body.is_object() && body.contains("message") && body["message"].is_string()) {
    return body["message"].get<std::string>();
  }
  return "the server answered " + std::to_string(response.status);
}

}  // namespace

std::int64_t RemoteTopic::record_count() const {
  std::int64_t count = 0;
  for (const RemotePartition& partition : partitions) {
    count += partition.end - partition.start;
  }
  return count;
}

Result<Remote> Remote::connect(const std::string& url) {
  PENSTOCK_TRY_ASSIGN(const net::Url parsed, net::parse_url(url));
  net::HttpClient::Options options;
  options.host = parsed.host;
  options.port = parsed.port;
  options.tls = parsed.tls;
  return Remote(net::HttpClient(std::move(options)), url);
}

Result<std::string> Remote::get(const std::string& target) {
  net::ClientRequest request;
  request.target = target;
  return send(request);
}

Result<std::string> Remote::send(const net::ClientRequest& request) {
  Result<net::ClientResponse> response = client_.send(request);
  if (!response) {
    return response.error().with("no answer from " + url_ +
                                 " (is `penstock up` running there? --url names another place)");
  }
  if (response->status != 200) {
    return Error(code_for_status(response->status), message_of(*response));
  }
  return std::move(response->body);
}

Result<std::vector<RemoteTopic>> Remote::topics() {
  PENSTOCK_TRY_ASSIGN(const std::string body, get("/v1/topics"));
  const auto answer = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object() || !answer.contains("topics")) {
    return Error(ErrorCode::kInvalid, url_ + " does not answer as a penstock server does");
  }
  std::vector<RemoteTopic> topics;
  for (const auto& entry : answer["topics"]) {
    RemoteTopic topic;
    topic.name = entry.value("name", "");
    for (const auto& part : entry.value("partitions", nlohmann::json::array())) {
      topic.partitions.push_back({part.value("partition", 0), part.value("start", std::int64_t{0}),
                                  part.value("end", std::int64_t{0})});
    }
    topics.push_back(std::move(topic));
  }
  return topics;
}

}  // namespace penstock::app
