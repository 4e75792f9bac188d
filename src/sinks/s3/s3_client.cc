#include "sinks/s3/s3_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base64.h"
#include "core/crc32c.h"
#include "net/digest.h"
#include "sinks/s3/xml.h"

namespace penstock::sinks {
namespace {

constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
// Servers allow a quarter of an hour; a difference of less is no reason to doubt our clock.
constexpr std::chrono::seconds kSkewMin{60};

std::string checksum_of(std::string_view body) {
  std::array<std::byte, 4> bytes{};
  store_be(bytes.data(), crc32c(as_bytes(body)));
  std::string text;
  append_base64(text, bytes);
  return text;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<os::WallTime> parse_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) {
    return std::nullopt;
  }
  bool is_sound = true;
  const auto number = [&](std::size_t at, std::size_t size) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text.data() + at, text.data() + at + size, value);
    is_sound = is_sound && failure == std::errc() && end == text.data() + at + size;
    return value;
  };
  const std::size_t month = kMonths.find(text.substr(8, 3));
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(12, 4))),
                                        std::chrono::month(static_cast<unsigned>(month) / 3 + 1),
                                        std::chrono::day(number(5, 2))};
  const auto time = std::chrono::hours(number(17, 2)) + std::chrono::minutes(number(20, 2)) +
                    std::chrono::seconds(number(23, 2));
  if (!is_sound || month % 3 != 0 || !day.ok()) {
    return std::nullopt;
  }
  return os::WallTime(std::chrono::sys_days(day)) + time;
}

bool is_error_in_disguise(const net::ClientResponse& answer) {
  return answer.status == 200 && xml_root(answer.body) == "Error";
}

bool may_pass(const net::ClientResponse& answer) {
  constexpr std::array kStatuses = {408, 429, 500, 502, 503, 504};
  if (std::find(kStatuses.begin(), kStatuses.end(), answer.status) != kStatuses.end() ||
      is_error_in_disguise(answer)) {
    return true;
  }
  const std::string code = answer.status >= 400 ? xml_text(answer.body, "Code") : "";
  return code == "RequestTimeout" || code == "OperationAborted" || code == "SlowDown";
}

bool is_expired(const net::ClientResponse& answer) {
  const std::string code = answer.status >= 400 ? xml_text(answer.body, "Code") : "";
  return code == "ExpiredToken" || code == "InvalidToken" || code == "TokenRefreshRequired";
}

ErrorCode code_of(const net::ClientResponse& answer, std::string_view code) {
  if (may_pass(answer)) {
    return ErrorCode::kRetry;
  }
  if (answer.status == 409 || code == "NoSuchUpload") {
    return ErrorCode::kAbortTxn;
  }
  return answer.status == 404 && code != "NoSuchBucket" ? ErrorCode::kNotFound
                                                        : ErrorCode::kInvalid;
}

Error error_of(const net::ClientResponse& answer, const std::string& what) {
  const std::string code = xml_text(answer.body, "Code");
  const std::string message = xml_text(answer.body, "Message");
  return {code_of(answer, code),
          what + ": the S3 server answered " + std::to_string(answer.status) +
              (code.empty() ? "" : " " + code) + (message.empty() ? "" : ": " + message)};
}

bool is_good(const net::ClientResponse& answer) {
  return answer.status >= 200 && answer.status < 300 && !is_error_in_disguise(answer);
}

// Of a change that must not replace what is there.
Result<Put> put_outcome(const net::ClientResponse& answer, const std::string& what) {
  if (is_good(answer)) {
    return Put::kMade;
  }
  if (answer.status == 412) {
    return Put::kExists;
  }
  return error_of(answer, what);
}

void add_metadata(NamedTexts& headers, const S3Client::Metadata& metadata) {
  for (const auto& [name, value] : metadata) {
    headers.emplace_back(std::string(kMetadataPrefix) + name, value);
  }
}

std::string parts_xml(const std::vector<S3Client::Part>& parts) {
  std::string xml = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    xml += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
           xml_escape(parts[i].etag) + "</ETag><ChecksumCRC32C>" + parts[i].checksum +
           "</ChecksumCRC32C></Part>";
  }
  return xml + "</CompleteMultipartUpload>";
}

std::uint64_t to_size(std::string_view text) {
  std::uint64_t size = 0;
  std::from_chars(text.data(), text.data() + text.size(), size);
  return size;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

}  // namespace

S3Client::S3Client(const os::Clock& clock, os::Random& random, telemetry::Registry& registry,
                   std::unique_ptr<HttpTransport> transport, CredentialsSource& credentials,
                   Options options)
    : clock_(clock),
      random_(random),
      transport_(std::move(transport)),
      credentials_(credentials),
      options_(std::move(options)),
      requests_(registry.counter("penstock_s3_requests_total", "Requests sent to the S3 server.")),
      retries_(registry.counter("penstock_s3_retries_total",
                                "Requests that were sent again after a failure.")),
      seconds_(registry.histogram("penstock_s3_request_seconds",
                                  "How long the S3 server took to answer a request.")) {}

Result<Put> S3Client::put_new(const std::string& key, std::string_view body,
                              const std::string& content_type, const Metadata& metadata) {
  Request request{
      .method = "PUT",
      .key = key,
      .query = {},
      .headers = {{"Content-Type", content_type}, {"x-amz-checksum-crc32c", checksum_of(body)}},
      .body = body};
  if (options_.only_if_absent) {
    request.headers.emplace_back("If-None-Match", "*");
  }
  add_metadata(request.headers, metadata);
  PENSTOCK_TRY_ASSIGN(const auto answer, send(request));
  return put_outcome(answer, "put " + key);
}

Result<S3Client::Object> S3Client::head(const std::string& key) {
  PENSTOCK_TRY_ASSIGN(const auto answer, send({.method = "HEAD", .key = key}));
  if (!is_good(answer)) {
    return error_of(answer, "look at " + key);
  }
  Object object{.size = to_size(answer.header("Content-Length")), .metadata = {}};
  for (const auto& [name, value] : answer.headers) {
    const std::string lower = to_lower(name);
    if (lower.starts_with(kMetadataPrefix)) {
      object.metadata[lower.substr(kMetadataPrefix.size())] = value;
    }
  }
  return object;
}

Result<std::string> S3Client::get(const std::string& key) {
  PENSTOCK_TRY_ASSIGN(auto answer, send({.method = "GET", .key = key}));
  if (!is_good(answer)) {
    return error_of(answer, "get " + key);
  }
  return std::move(answer.body);
}

Result<std::string> S3Client::get_range(const std::string& key, std::uint64_t begin,
                                        std::uint64_t size) {
  const std::string range =
      "bytes=" + std::to_string(begin) + "-" + std::to_string(begin + size - 1);
  PENSTOCK_TRY_ASSIGN(
      auto answer, send({.method = "GET", .key = key, .query = {}, .headers = {{"Range", range}}}));
  if (!is_good(answer)) {
    return error_of(answer, "get " + key);
  }
  return std::move(answer.body);
}

Result<std::vector<std::string>> S3Client::list_pages(NamedTexts query) {
  query.emplace_back("list-type", "2");
  std::vector<std::string> pages;
  std::string token;
  do {
    NamedTexts of_page = query;
    if (!token.empty()) {
      of_page.emplace_back("continuation-token", token);
    }
    PENSTOCK_TRY_ASSIGN(auto answer,
                        send({.method = "GET", .key = "", .query = std::move(of_page)}));
    if (!is_good(answer)) {
      return error_of(answer, "list bucket " + options_.bucket);
    }
    token = xml_text(answer.body, "IsTruncated") == "true"
                ? xml_text(answer.body, "NextContinuationToken")
                : "";
    pages.push_back(std::move(answer.body));
  } while (!token.empty());
  return pages;
}

Result<std::vector<S3Client::Listed>> S3Client::list(const std::string& prefix) {
  PENSTOCK_TRY_ASSIGN(const auto pages, list_pages({{"prefix", prefix}}));
  std::vector<Listed> listed;
  for (const std::string& page : pages) {
    for (const std::string_view object : xml_elements(page, "Contents")) {
      listed.push_back({xml_text(object, "Key"), to_size(xml_text(object, "Size"))});
    }
  }
  return listed;
}

Result<std::vector<std::string>> S3Client::folders(const std::string& prefix) {
  PENSTOCK_TRY_ASSIGN(const auto pages, list_pages({{"prefix", prefix}, {"delimiter", "/"}}));
  std::vector<std::string> names;
  for (const std::string& page : pages) {
    for (const std::string_view common : xml_elements(page, "CommonPrefixes")) {
      const std::string key = xml_text(common, "Prefix");
      if (key.size() > prefix.size() + 1) {
        names.push_back(key.substr(prefix.size(), key.size() - prefix.size() - 1));
      }
    }
  }
  return names;
}

Result<std::string> S3Client::begin_upload(const std::string& key, const std::string& content_type,
                                           const Metadata& metadata) {
  Request request{
      .method = "POST",
      .key = key,
      .query = {{"uploads", ""}},
      .headers = {{"Content-Type", content_type}, {"x-amz-checksum-algorithm", "CRC32C"}}};
  add_metadata(request.headers, metadata);
  PENSTOCK_TRY_ASSIGN(const auto answer, send(request));
  std::string id = is_good(answer) ? xml_text(answer.body, "UploadId") : "";
  if (id.empty()) {
    return error_of(answer, "begin an upload of " + key);
  }
  return id;
}

Result<S3Client::Part> S3Client::put_part(const Upload& upload, std::size_t number,
                                          std::string_view body) {
  Part part{.etag = "", .checksum = checksum_of(body)};
  PENSTOCK_TRY_ASSIGN(
      const auto answer,
      send({.method = "PUT",
            .key = upload.key,
            .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload.id}},
            .headers = {{"x-amz-checksum-crc32c", part.checksum}},
            .body = body}));
  if (!is_good(answer)) {
    return error_of(answer, "put part " + std::to_string(number) + " of " + upload.key);
  }
  part.etag = answer.header("ETag");
  return part;
}

Result<Put> S3Client::complete_upload(const Upload& upload, const std::vector<Part>& parts) {
  const std::string body = parts_xml(parts);
  Request request{.method = "POST",
                  .key = upload.key,
                  .query = {{"uploadId", upload.id}},
                  .headers = {{"Content-Type", "application/xml"}},
                  .body = body};
  if (options_.only_if_absent) {
    request.headers.emplace_back("If-None-Match", "*");
  }
  PENSTOCK_TRY_ASSIGN(const auto answer, send(request));
  return put_outcome(answer, "complete the upload of " + upload.key);
}

Status S3Client::abort_upload(const Upload& upload) {
  PENSTOCK_TRY_ASSIGN(
      const auto answer,
      send({.method = "DELETE", .key = upload.key, .query = {{"uploadId", upload.id}}}));
  return is_good(answer) || answer.status == 404
             ? Status()
             : error_of(answer, "abort an upload of " + upload.key);
}

Result<std::vector<S3Client::Upload>> S3Client::uploads(const std::string& prefix) {
  std::vector<Upload> found;
  NamedTexts markers;
  do {
    NamedTexts query = {{"uploads", ""}, {"prefix", prefix}};
    query.insert(query.end(), markers.begin(), markers.end());
    PENSTOCK_TRY_ASSIGN(const auto answer,
                        send({.method = "GET", .key = "", .query = std::move(query)}));
    if (!is_good(answer)) {
      return error_of(answer, "list the uploads of bucket " + options_.bucket);
    }
    for (const std::string_view upload : xml_elements(answer.body, "Upload")) {
      found.push_back({xml_text(upload, "Key"), xml_text(upload, "UploadId")});
    }
    markers.clear();
    if (xml_text(answer.body, "IsTruncated") == "true") {
      markers = {{"key-marker", xml_text(answer.body, "NextKeyMarker")},
                 {"upload-id-marker", xml_text(answer.body, "NextUploadIdMarker")}};
    }
  } while (!markers.empty());
  return found;
}

void S3Client::interrupt() {
  interrupted_.with([](bool& interrupted) { interrupted = true; });
  interrupts_->raise();
  transport_->interrupt();
}

bool S3Client::is_interrupted() const {
  return interrupted_.with([](bool interrupted) { return interrupted; });
}

std::string S3Client::path_of(const std::string& key) const {
  const std::string path = options_.bucket_in_path ? "/" + options_.bucket + "/" + key : "/" + key;
  return uri_encode(key.empty() && options_.bucket_in_path ? "/" + options_.bucket : path,
                    Slashes::kKeep);
}

Result<net::ClientResponse> S3Client::send_once(const Request& request) {
  PENSTOCK_TRY_ASSIGN(const Credentials credentials, credentials_.get());
  const std::string hash = net::hex(net::sha256(as_bytes(request.body)));
  SignedRequest to_sign{.method = request.method,
                        .path = path_of(request.key),
                        .query = request.query,
                        .headers = request.headers,
                        .body_hash = hash};
  to_sign.headers.emplace_back("x-amz-date", amz_date(clock_.wall_now() + clock_skew_));
  to_sign.headers.emplace_back("x-amz-content-sha256", hash);
  if (!credentials.session_token.empty()) {
    to_sign.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  const std::string query = canonical_query(request.query);
  net::ClientRequest sent{.method = request.method,
                          .target = to_sign.path + (query.empty() ? "" : "?" + query),
                          .headers = to_sign.headers,
                          .body = request.body};
  to_sign.headers.emplace_back("Host", options_.host);
  sent.headers.emplace_back(
      "Authorization", authorization(to_sign, {.access_key_id = credentials.access_key_id,
                                               .secret_access_key = credentials.secret_access_key,
                                               .region = options_.region}));
  requests_.add(1);
  const os::TimePoint begun = clock_.now();
  auto answer = transport_->send(sent);
  seconds_.record(clock_.now() - begun);
  return answer;
}

// True if our clock was wrong, and is right now.
bool S3Client::correct_clock(const net::ClientResponse& answer) {
  const auto theirs = parse_http_date(answer.header("Date"));
  if (!theirs.has_value()) {
    return false;
  }
  const auto skew = *theirs - clock_.wall_now();
  if (std::chrono::abs(skew - clock_skew_) < kSkewMin) {
    return false;
  }
  clock_skew_ = skew;
  return true;
}

S3Client::Verdict S3Client::judge(const Result<net::ClientResponse>& answer,
                                  Corrections& corrections) {
  if (!answer.has_value() || may_pass(*answer)) {
    return Verdict::kRetry;
  }
  if (answer->status == 403 && !corrections.clock) {
    corrections.clock = true;
    if (correct_clock(*answer)) {
      return Verdict::kRetryAtOnce;
    }
  }
  if (is_expired(*answer) && !corrections.credentials) {
    corrections.credentials = true;
    credentials_.forget();
    return Verdict::kRetryAtOnce;
  }
  return Verdict::kDone;
}

Result<net::ClientResponse> S3Client::send(const Request& request) {
  Backoff backoff(random_, options_.backoff);
  Corrections corrections;
  for (std::uint32_t attempt = 1;; ++attempt) {
    if (is_interrupted()) {
      return Error(ErrorCode::kRetry, "interrupted: the process stops");
    }
    auto answer = send_once(request);
    const Verdict verdict = judge(answer, corrections);
    if (verdict == Verdict::kDone ||
        (verdict == Verdict::kRetry && attempt >= options_.attempts_max)) {
      return answer;
    }
    retries_.add(1);
    if (verdict == Verdict::kRetry) {
      interrupts_->wait(backoff.next());
    }
  }
}

}  // namespace penstock::sinks
