// FakeBucket is an S3 server in memory, of one bucket `b`, and FakeS3 a connection to it. It knows
// what S3Client asks for, If-None-Match among it, and fails as a test says: before a request is
// done, or after.
//
// Threads   one.
// Lifetime  the bucket outlives its connections.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "net/http_client.h"
#include "sinks/s3/http_transport.h"
#include "sinks/s3/s3_archive_store.h"
#include "sinks/s3/xml.h"

namespace penstock::sinks {

enum class S3Fault {
  kNone,
  kLost,          // the request never arrives
  kAnswerLost,    // it is done, and nobody hears of it
  kSlowDown,      // 503
  kFailed,        // 500
  kDisguised,     // not done; 200 with an error in the body
  kDoneDisguised  // done; 200 with an error in the body
};

class FakeBucket {
 public:
  struct Object {
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;

    friend bool operator==(const Object&, const Object&) = default;
  };

  struct Upload {
    std::string key;
    Object object;
    std::map<int, std::string> parts;
  };

  std::map<std::string, Object> objects;
  std::map<std::string, Upload> uploads;
  std::function<S3Fault(const net::ClientRequest&)> fault = [](const auto&) {
    return S3Fault::kNone;
  };
  std::vector<net::ClientRequest> requests;  // without bodies
  std::string date;                          // of the answers, if set
  int refusals = 0;                          // so many requests are answered with `refusal`
  net::ClientResponse refusal;
  std::size_t page_size = 3;  // of lists

  Result<net::ClientResponse> send(const net::ClientRequest& request) {
    requests.push_back({request.method, request.target, request.headers, {}});
    const S3Fault chosen = fault(request);
    if (chosen == S3Fault::kLost) {
      return Error(ErrorCode::kRetry, "lost");
    }
    if (chosen == S3Fault::kSlowDown || chosen == S3Fault::kFailed) {
      return with_date(
          {.status = chosen == S3Fault::kFailed ? 500 : 503, .body = error("SlowDown")});
    }
    if (chosen == S3Fault::kDisguised) {
      return with_date({.status = 200, .body = error("InternalError")});
    }
    if (refusals > 0) {
      --refusals;
      return with_date(refusal);
    }
    net::ClientResponse answer = handle(request);
    if (chosen == S3Fault::kAnswerLost) {
      return Error(ErrorCode::kRetry, "the answer was lost");
    }
    if (chosen == S3Fault::kDoneDisguised) {
      return with_date({.status = 200, .body = error("InternalError")});
    }
    return with_date(std::move(answer));
  }

  static std::string error(const std::string& code) {
    return "<?xml version=\"1.0\"?>\n<Error><Code>" + code + "</Code><Message>no</Message></Error>";
  }

  // "partNumber" of a request's query; empty if it is not there.
  static std::string parameter(const std::string& target, const std::string& name) {
    const std::size_t query = target.find('?');
    std::string rest = query == std::string::npos ? "" : "&" + target.substr(query + 1);
    const std::size_t at = rest.find("&" + name + "=");
    if (at == std::string::npos) {
      return "";
    }
    rest = rest.substr(at + name.size() + 2);
    return decoded(rest.substr(0, rest.find('&')));
  }

 private:
  net::ClientResponse with_date(net::ClientResponse answer) const {
    if (!date.empty()) {
      answer.headers.emplace_back("Date", date);
    }
    return answer;
  }

  static std::string decoded(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        result += text[i];
      }
    }
    return result;
  }

  static bool has(const net::ClientRequest& request, const std::string& name) {
    for (const auto& [header, value] : request.headers) {
      if (header == name) {
        return true;
      }
    }
    return false;
  }

  static Object object_of(const net::ClientRequest& request) {
    Object object{std::string(request.body), {}};
    for (const auto& [name, value] : request.headers) {
      if (name.starts_with("x-amz-meta-")) {
        object.headers.emplace_back(name, value);
      }
    }
    return object;
  }

  net::ClientResponse handle(const net::ClientRequest& request) {
    const std::string path = decoded(request.target.substr(0, request.target.find('?')));
    const std::string key = path.size() > 3 ? path.substr(3) : "";  // behind "/b/"
    const std::string upload = parameter(request.target, "uploadId");
    if (key.empty()) {
      return request.target.find("uploads=") != std::string::npos ? list_uploads(request.target)
                                                                  : list(request.target);
    }
    if (!upload.empty()) {
      return handle_upload(request, upload);
    }
    if (request.method == "PUT") {
      return put(key, object_of(request), has(request, "If-None-Match"));
    }
    if (request.method == "POST") {
      const std::string id = "upload " + std::to_string(++upload_count_);
      uploads[id] = {key, object_of(request), {}};
      return {.status = 200, .body = "<R><UploadId>" + id + "</UploadId></R>"};
    }
    const auto found = objects.find(key);
    if (found == objects.end()) {
      return {.status = 404, .body = request.method == "HEAD" ? "" : error("NoSuchKey")};
    }
    net::ClientResponse answer{.status = 200, .headers = found->second.headers};
    answer.headers.emplace_back("content-length", std::to_string(found->second.body.size()));
    answer.body = request.method == "HEAD" ? "" : found->second.body;
    return answer;
  }

  net::ClientResponse put(const std::string& key, Object object, bool only_if_absent) {
    if (only_if_absent && objects.contains(key)) {
      return {.status = 412, .body = error("PreconditionFailed")};
    }
    objects[key] = std::move(object);
    return {.status = 200};
  }

  net::ClientResponse handle_upload(const net::ClientRequest& request, const std::string& id) {
    const auto found = uploads.find(id);
    if (found == uploads.end()) {
      return {.status = 404, .body = error("NoSuchUpload")};
    }
    if (request.method == "DELETE") {
      uploads.erase(found);
      return {.status = 204};
    }
    if (request.method == "PUT") {
      const int number = std::stoi(parameter(request.target, "partNumber"));
      found->second.parts[number] = std::string(request.body);
      return {.status = 200, .headers = {{"ETag", "\"" + std::to_string(number) + "\""}}};
    }
    Object object = found->second.object;
    for (const auto& [number, part] : found->second.parts) {
      object.body += part;
    }
    net::ClientResponse answer =
        put(found->second.key, std::move(object), has(request, "If-None-Match"));
    if (answer.status == 200) {
      uploads.erase(found);
      answer.body = "<CompleteMultipartUploadResult/>";
    }
    return answer;
  }

  net::ClientResponse list(const std::string& target) const {
    const std::string prefix = parameter(target, "prefix");
    const bool by_folder = !parameter(target, "delimiter").empty();
    std::string body = "<ListBucketResult xmlns=\"x\"><Prefix>" + xml_escape(prefix) + "</Prefix>";
    std::set<std::string> folders;
    std::size_t count = 0;
    for (auto at = objects.upper_bound(parameter(target, "continuation-token"));
         at != objects.end(); ++at) {
      if (!at->first.starts_with(prefix)) {
        continue;
      }
      const std::size_t slash = at->first.find('/', prefix.size());
      if (by_folder && slash != std::string::npos) {
        folders.insert(at->first.substr(0, slash + 1));
        continue;
      }
      body += "<Contents><Key>" + xml_escape(at->first) + "</Key><Size>" +
              std::to_string(at->second.body.size()) + "</Size></Contents>";
      if (++count == page_size) {
        body += "<IsTruncated>true</IsTruncated><NextContinuationToken>" + xml_escape(at->first) +
                "</NextContinuationToken>";
        break;
      }
    }
    for (const std::string& folder : folders) {
      body += "<CommonPrefixes><Prefix>" + xml_escape(folder) + "</Prefix></CommonPrefixes>";
    }
    return {.status = 200, .body = body + "</ListBucketResult>"};
  }

  net::ClientResponse list_uploads(const std::string& target) const {
    std::string body = "<ListMultipartUploadsResult>";
    for (const auto& [id, upload] : uploads) {
      if (upload.key.starts_with(parameter(target, "prefix"))) {
        body += "<Upload><Key>" + xml_escape(upload.key) + "</Key><UploadId>" + id +
                "</UploadId></Upload>";
      }
    }
    return {.status = 200, .body = body + "</ListMultipartUploadsResult>"};
  }

  int upload_count_ = 0;
};

class FakeS3 final : public HttpTransport {
 public:
  explicit FakeS3(FakeBucket& bucket) : bucket_(bucket) {}

  [[nodiscard]] Result<net::ClientResponse> send(const net::ClientRequest& request) override {
    return bucket_.send(request);
  }

  void interrupt() override {}

 private:
  FakeBucket& bucket_;
};

// What a store in a FakeBucket needs around it.
struct FakeS3World {
  os::FileSystem& files;
  const os::Clock& clock;
  os::Random& random;
  telemetry::Registry& registry;
  FakeBucket& bucket;
};

// Requests that fail are sent again at once, `attempts_max` times in all.
inline std::unique_ptr<S3ArchiveStore> make_fake_s3_store(const FakeS3World& world,
                                                          std::uint32_t attempts_max,
                                                          S3ArchiveStore::Options options,
                                                          bool only_if_absent = true) {
  auto credentials = std::make_unique<CredentialsSource>(
      world.files, world.clock, nullptr,
      CredentialsSource::Options{.settings = Credentials{"key", "secret", ""}, .environment = {}});
  auto client = std::make_unique<S3Client>(
      world.clock, world.random, world.registry, std::make_unique<FakeS3>(world.bucket),
      *credentials,
      S3Client::Options{.host = "h",
                        .bucket = "b",
                        .attempts_max = attempts_max,
                        .backoff = {std::chrono::milliseconds(0), std::chrono::milliseconds(0)},
                        .only_if_absent = only_if_absent});
  return std::make_unique<S3ArchiveStore>(world.files, std::move(credentials), std::move(client),
                                          std::move(options));
}

}  // namespace penstock::sinks
