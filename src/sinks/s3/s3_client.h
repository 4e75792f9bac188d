// S3Client speaks to one bucket of an S3 server: whole objects, uploads in parts, lists.
//
// What may pass is tried again, with growing waits: lost connections, 429, 500, 502, 503 and 504,
// and 200 with an error in its body. A clock that the server finds too far from its own is
// corrected by the server's, and credentials that have expired are fetched again, once per request
// each.
//
// A request that was tried again may have been done before: then put_new() and complete_upload()
// say kExists, and only head() tells by whom. Likewise after an error.
//
// Bodies are checked by the server: by the SHA-256 that is signed, and by CRC-32C, which it keeps.
//
// Threads   one; interrupt() from any.
// Lifetime  everything given to the constructor outlives it.
// Errors    kRetry     the server is away, slow or busy: what came of a change is not known
//           kAbortTxn  begin anew: the upload is gone, or another is in its way (404, 409)
//           kNotFound  no such object
//           kInvalid   the server refuses: rights, names, settings; its words are in the message
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/counter.h"
#include "core/guarded.h"
#include "core/ref_counted.h"
#include "core/result.h"
#include "core/signal.h"
#include "os/clock.h"
#include "os/random.h"
#include "sinks/runtime/backoff.h"
#include "sinks/s3/credentials.h"
#include "sinks/s3/http_transport.h"
#include "sinks/s3/signature.h"
#include "telemetry/registry.h"

namespace penstock::sinks {

enum class Put { kMade, kExists };

class S3Client {
 public:
  struct Options {
    std::string host;  // the value of the header Host
    std::string bucket;
    bool bucket_in_path = true;  // else in the host
    std::string region = "us-east-1";
    std::uint32_t attempts_max = 8;
    Backoff::Options backoff{std::chrono::milliseconds(50), std::chrono::milliseconds(5'000)};
    // Only a test takes this away, to see that it finds what it must find.
    bool only_if_absent = true;
  };

  using Metadata = std::map<std::string, std::string>;  // names in lower case

  struct Object {
    std::uint64_t size = 0;
    Metadata metadata;
  };

  struct Listed {
    std::string key;
    std::uint64_t size = 0;
  };

  struct Upload {
    std::string key;
    std::string id;
  };

  struct Part {
    std::string etag;
    std::string checksum;
  };

  S3Client(const os::Clock& clock, os::Random& random, telemetry::Registry& registry,
           std::unique_ptr<HttpTransport> transport, CredentialsSource& credentials,
           Options options);

  // Makes the object unless there is one of that key.
  [[nodiscard]] Result<Put> put_new(const std::string& key, std::string_view body,
                                    const std::string& content_type, const Metadata& metadata);
  [[nodiscard]] Result<Object> head(const std::string& key);
  [[nodiscard]] Result<std::string> get(const std::string& key);
  [[nodiscard]] Result<std::string> get_range(const std::string& key, std::uint64_t begin,
                                              std::uint64_t size);
  // All objects whose keys begin so, sorted by key.
  [[nodiscard]] Result<std::vector<Listed>> list(const std::string& prefix);
  // What follows `prefix` up to the next '/', of all keys.
  [[nodiscard]] Result<std::vector<std::string>> folders(const std::string& prefix);

  [[nodiscard]] Result<std::string> begin_upload(const std::string& key,
                                                 const std::string& content_type,
                                                 const Metadata& metadata);
  // Numbers begin at 1.
  [[nodiscard]] Result<Part> put_part(const Upload& upload, std::size_t number,
                                      std::string_view body);
  [[nodiscard]] Result<Put> complete_upload(const Upload& upload, const std::vector<Part>& parts);
  [[nodiscard]] Status abort_upload(const Upload& upload);
  [[nodiscard]] Result<std::vector<Upload>> uploads(const std::string& prefix);

  [[nodiscard]] const std::string& bucket() const { return options_.bucket; }

  // Ends what is under way, and makes all that follows fail with kRetry.
  void interrupt();

 private:
  struct Request {
    std::string method;
    std::string key;  // empty: of the bucket
    NamedTexts query;
    NamedTexts headers;
    std::string_view body = {};
  };

  // What to do after an answer.
  enum class Verdict { kDone, kRetry, kRetryAtOnce };

  struct Corrections {
    bool clock = false;
    bool credentials = false;
  };

  [[nodiscard]] Result<net::ClientResponse> send(const Request& request);
  [[nodiscard]] Result<net::ClientResponse> send_once(const Request& request);
  [[nodiscard]] Verdict judge(const Result<net::ClientResponse>& answer, Corrections& corrections);
  [[nodiscard]] bool correct_clock(const net::ClientResponse& answer);
  [[nodiscard]] Result<std::vector<std::string>> list_pages(NamedTexts query);
  [[nodiscard]] std::string path_of(const std::string& key) const;
  [[nodiscard]] bool is_interrupted() const;

  const os::Clock& clock_;
  os::Random& random_;
  const std::unique_ptr<HttpTransport> transport_;
  CredentialsSource& credentials_;
  const Options options_;
  Counter& requests_;
  Counter& retries_;
  telemetry::LatencyHistogram& seconds_;
  std::chrono::milliseconds clock_skew_{0};  // the server's clock minus ours
  Guarded<bool> interrupted_{false};
  const Ref<Signal> interrupts_ = make_ref<Signal>();
};

}  // namespace penstock::sinks
