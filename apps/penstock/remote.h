// Remote speaks to a running penstock over HTTP, for the commands that work on one: topics, dlq.
//
// Errors    kRetry    no server answers there
//           kNotFound, kInvalid, kBusy  what the server said, in its words
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "net/http_client.h"

namespace penstock::app {

struct RemotePartition {
  std::int32_t partition = 0;
  std::int64_t start = 0;
  std::int64_t end = 0;
};

struct RemoteTopic {
  std::string name;
  std::vector<RemotePartition> partitions;

  [[nodiscard]] std::int64_t record_count() const;
};

class Remote {
 public:
  // `url`: "http://host:port".
  [[nodiscard]] static Result<Remote> connect(const std::string& url);

  // Sends, and turns every answer but 200 into an Error with the server's message.
  [[nodiscard]] Result<std::string> get(const std::string& target);
  [[nodiscard]] Result<std::string> send(const net::ClientRequest& request);

  [[nodiscard]] Result<std::vector<RemoteTopic>> topics();

 private:
  Remote(net::HttpClient client, std::string url)
      : client_(std::move(client)), url_(std::move(url)) {}

  net::HttpClient client_;
  std::string url_;
};

}  // namespace penstock::app
