#include "net/http_head.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "net/host.h"
#include "net/http_server.h"
#include "net/text.h"

namespace penstock::net {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

Refusal bad_request(std::string message) {
  return {400, "bad_request", std::move(message)};
}

std::string_view to_std(beast::string_view text) {
  return {text.data(), text.size()};
}

Method to_method(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::put:
      return Method::kPut;
    case http::verb::delete_:
      return Method::kDelete;
    case http::verb::patch:
      return Method::kPatch;
    case http::verb::options:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

// Collects what Beast finds; the views point into request.head.
class Parser final : public http::basic_parser<true> {
 public:
  Parser(HttpRequest& request, HeadInfo& info) : request_(request), info_(info) {}

  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

  [[nodiscard]] std::size_t host_count() const { return host_count_; }

  [[nodiscard]] bool has_length() const { return length_count_ > 0; }

 private:
  using ErrorCode = beast::error_code;
  using Text = beast::string_view;

  void refuse(Refusal refusal, ErrorCode& error) {
    refusal_ = std::move(refusal);
    error = http::error::bad_value;
  }

  void on_request_impl(http::verb verb, Text, Text target, int version, ErrorCode& error) override {
    request_.method = to_method(verb);
    request_.target = to_std(target);
    info_.http11 = version == 11;
    if (version != 10 && version != 11) {
      refuse({505, "unsupported_version", "only HTTP/1.1 and HTTP/1.0 are spoken here"}, error);
    }
  }

  void on_field_impl(http::field field, Text name, Text value, ErrorCode& error) override {
    request_.headers.push_back({to_std(name), to_std(value)});
    switch (field) {
      case http::field::host:
        on_host(to_std(value), error);
        break;
      case http::field::content_length:
        on_content_length(to_std(value), error);
        break;
      case http::field::transfer_encoding:
        on_transfer_encoding(to_std(value), error);
        break;
      case http::field::content_encoding:
        on_content_encoding(to_std(value), error);
        break;
      case http::field::expect:
        on_expect(to_std(value), error);
        break;
      default:
        break;
    }
  }

  void on_host(std::string_view value, ErrorCode& error) {
    ++host_count_;
    if (!is_host(value)) {
      refuse(bad_request("the Host header is not a host"), error);
    }
  }

  void on_content_length(std::string_view value, ErrorCode& error) {
    if (++length_count_ > 1) {
      refuse(bad_request("Content-Length is given more than once"), error);
    } else if (value.empty() || value.size() > 18 ||
               value.find_first_not_of("0123456789") != std::string_view::npos) {
      refuse(bad_request("Content-Length is not a whole number"), error);
    }
  }

  void on_transfer_encoding(std::string_view value, ErrorCode& error) {
    if (info_.chunked) {
      refuse(bad_request("Transfer-Encoding is given more than once"), error);
    } else if (!equal_ignoring_case(value, "chunked")) {
      refuse({501, "unsupported_transfer_encoding", "the only Transfer-Encoding is chunked"},
             error);
    }
    info_.chunked = true;
  }

  void on_content_encoding(std::string_view value, ErrorCode& error) {
    if (equal_ignoring_case(value, "identity") || value.empty()) {
      return;
    }
    const auto encoding = compress::encoding_from_name(value);
    if (!encoding.has_value() || info_.encoding.has_value()) {
      refuse({415, "unsupported_encoding",
              "Content-Encoding is one of gzip, deflate, zstd and identity"},
             error);
    }
    info_.encoding = encoding;
  }

  void on_expect(std::string_view value, ErrorCode& error) {
    if (!equal_ignoring_case(value, "100-continue")) {
      refuse({417, "unknown_expectation", "the only expectation is 100-continue"}, error);
    }
    info_.expects_continue = true;
  }

  void on_response_impl(int, Text, int, ErrorCode&) override {}

  void on_header_impl(ErrorCode&) override {}

  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}

  std::size_t on_body_impl(Text, ErrorCode&) override { return 0; }

  void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, Text, ErrorCode&) override { return 0; }

  void on_finish_impl(ErrorCode&) override {}

  HttpRequest& request_;
  HeadInfo& info_;
  std::optional<Refusal> refusal_;
  std::size_t host_count_ = 0;
  std::size_t length_count_ = 0;
};

Refusal describe(const beast::error_code& error) {
  if (error == http::error::bad_version) {
    return {505, "unsupported_version", "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  return bad_request("the request head cannot be read: " + error.message());
}

// Splits the target into path and query; an absolute target (as sent to proxies) loses its origin.
std::optional<Refusal> split_target(HttpRequest& request) {
  std::string_view target = request.target;
  bool absolute = false;
  const bool visible = std::all_of(target.begin(), target.end(),
                                   [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!visible) {
    return bad_request("the request target has characters that do not belong in it");
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      target.remove_prefix(scheme.size());
      const std::string_view host = target.substr(0, target.find_first_of("/?"));
      if (host.empty() || host.front() == ':' || !is_host(host)) {
        return bad_request("the request target names no host");
      }
      target.remove_prefix(host.size());
      absolute = true;
    }
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  request.target = target;
  request.path = absolute && question == 0 ? "/" : target.substr(0, question);
  if (!request.path.starts_with('/') &&
      !(request.path == "*" && request.method == Method::kOptions)) {
    return bad_request("the request target does not begin with a '/'");
  }
  request.query = target.substr(std::min(question + 1, target.size()));
  return std::nullopt;
}

std::optional<Refusal> check_framing(const Parser& parser, const HeadInfo& info) {
  if (parser.has_length() && info.chunked) {
    return bad_request("Content-Length and Transfer-Encoding are both given");
  }
  if (info.chunked && !info.http11) {
    return bad_request("HTTP/1.0 has no Transfer-Encoding");
  }
  if (parser.host_count() > 1 || (info.http11 && parser.host_count() == 0)) {
    return bad_request("there must be one Host header");
  }
  return std::nullopt;
}

}  // namespace

void HeadScanner::reset() {
  line_start_ = 0;
  line_count_ = 0;
}

std::optional<Refusal> HeadScanner::scan(std::string_view unread, std::size_t& size) {
  size = 0;
  while (line_start_ < unread.size()) {
    const void* const found =
        std::memchr(unread.data() + line_start_, '\n', unread.size() - line_start_);
    if (found == nullptr) {
      break;
    }
    const auto line_end =
        static_cast<std::size_t>(static_cast<const char*>(found) - unread.data()) + 1;
    const std::string_view line = unread.substr(line_start_, line_end - line_start_);
    if (auto refusal = check_line(line)) {
      return refusal;
    }
    line_start_ = line_end;
    ++line_count_;
    if (line == "\r\n") {
      size = line_end;
      break;
    }
  }
  return check_sizes(size == 0 ? unread.size() : size);
}

std::optional<Refusal> HeadScanner::check_line(std::string_view line) {
  if (line.size() < 2 || line[line.size() - 2] != '\r') {
    return bad_request("a line of the head ends without a carriage return");
  }
  if (line_count_ > 0 && (line.front() == ' ' || line.front() == '\t')) {
    return bad_request("a header is folded over two lines");
  }
  if (line_count_ > limits_.header_count_max && line != "\r\n") {
    return Refusal{431, "too_many_headers",
                   "more than " + std::to_string(limits_.header_count_max) + " headers"};
  }
  // Method, version and blanks of a request line take no more than 40 bytes.
  if (line_count_ == 0 && line.size() > limits_.target_bytes_max + 40) {
    return Refusal{
        414, "target_too_long",
        "the request target is longer than " + std::to_string(limits_.target_bytes_max) + " bytes"};
  }
  return std::nullopt;
}

std::optional<Refusal> HeadScanner::check_sizes(std::size_t unread_size) const {
  if (line_count_ == 0 && unread_size > limits_.target_bytes_max + 40) {
    return Refusal{
        414, "target_too_long",
        "the request target is longer than " + std::to_string(limits_.target_bytes_max) + " bytes"};
  }
  if (unread_size > limits_.head_bytes_max) {
    return Refusal{
        431, "head_too_large",
        "the request head is larger than " + std::to_string(limits_.head_bytes_max) + " bytes"};
  }
  return std::nullopt;
}

std::optional<Refusal> parse_head(HttpRequest& request, HeadInfo& info) {
  Parser parser(request, info);
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // HeadScanner has checked
  parser.body_limit(boost::none);
  beast::error_code error;
  parser.put(boost::asio::const_buffer(request.head.data(), request.head.size()), error);
  if (parser.refusal().has_value()) {
    return parser.refusal();
  }
  if (error) {
    return describe(error);
  }
  if (auto refusal = check_framing(parser, info)) {
    return refusal;
  }
  info.keep_alive = parser.keep_alive();
  info.content_length = parser.content_length().value_or(0);
  return split_target(request);
}

}  // namespace penstock::net
