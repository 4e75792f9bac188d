#include "net/http_client.h"

#include <array>
#include <charconv>
#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "core/guarded.h"
#include "net/text.h"

namespace penstock::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

std::string to_std(beast::string_view text) {
  return {text.data(), text.size()};
}

std::string format_head(const ClientRequest& request, const HttpClient::Options& options) {
  std::string text = request.method + " " + request.target +
                     " HTTP/1.1\r\nHost: " + host_header(options.host, options.port, options.tls) +
                     "\r\n";
  for (const auto& [name, value] : request.headers) {
    text += name + ": " + value + "\r\n";
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n";
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto invalid = [&](std::string_view why) {
    return Error(ErrorCode::kInvalid, "the URL '" + std::string(text) + "' " + std::string(why));
  };
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kTls = "https://";
  Url url;
  url.tls = equal_ignoring_case(text.substr(0, kTls.size()), kTls);
  if (!url.tls && !equal_ignoring_case(text.substr(0, kPlain.size()), kPlain)) {
    return invalid("does not begin with http:// or https://");
  }
  url.port = url.tls ? 443 : 80;
  std::string_view rest = text.substr(url.tls ? kTls.size() : kPlain.size());
  const std::size_t authority_size = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_size);
  rest.remove_prefix(authority_size);
  url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);

  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (error != std::errc() || end != digits.data() + digits.size() || url.port == 0) {
      return invalid("has a port that is not a number from 1 to 65535");
    }
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty()) {
    return invalid("has no host");
  }
  url.host = std::string(authority);
  return url;
}

std::string host_header(const std::string& host, std::uint16_t port, bool tls) {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

std::string_view ClientResponse::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (equal_ignoring_case(field, name)) {
      return value;
    }
  }
  return {};
}

class HttpClient::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {}

  [[nodiscard]] Result<ClientResponse> send(const ClientRequest& request) {
    if (socket_.has_value() && server_has_closed()) {
      close();
    }
    if (!socket_.has_value()) {
      if (const Status connected = connect(); !connected) {
        close();
        return connected.error();
      }
    }
    auto response = tls_.has_value() ? exchange(*tls_, request) : exchange(*socket_, request);
    if (!response) {
      close();
    }
    return response;
  }

  void interrupt() {
    interrupted_.with([](bool& interrupted) { interrupted = true; });
    io_.stop();
  }

 private:
  using Code = boost::system::error_code;
  using TlsStream = asio::ssl::stream<tcp::socket&>;

  [[nodiscard]] std::string where() const {
    return options_.host + ":" + std::to_string(options_.port);
  }

  void close() {
    tls_.reset();
    socket_.reset();
  }

  // Runs what was started until it sets `code` (would_block until then), or gives up.
  void run(std::chrono::milliseconds timeout, Code& code) {
    io_.restart();  // an interrupt() before this is seen in the flag, one after it by run_for()
    if (!interrupted_.with([](bool interrupted) { return interrupted; })) {
      io_.run_for(timeout);
    }
    if (code == asio::error::would_block) {
      if (socket_.has_value()) {
        socket_->close(code);
      }
      io_.restart();
      io_.run();
      code = asio::error::timed_out;
    }
  }

  [[nodiscard]] bool server_has_closed() {
    Code code;
    char byte = 0;
    static_cast<void>(socket_->non_blocking(true, code));
    const std::size_t size =
        socket_->receive(asio::buffer(&byte, 1), tcp::socket::message_peek, code);
    // Of TLS there may be messages that are no answer, such as tickets.
    return code != asio::error::would_block && !(tls_.has_value() && !code && size > 0);
  }

  [[nodiscard]] Status connect() {
    Code code;
    tcp::resolver resolver(io_);
    const auto endpoints = resolver.resolve(options_.host, std::to_string(options_.port), code);
    if (code) {
      return Error(ErrorCode::kRetry, "cannot find the host " + options_.host);
    }
    socket_.emplace(io_);
    code = asio::error::would_block;
    asio::async_connect(*socket_, endpoints,
                        [&](const Code& error, const tcp::endpoint&) { code = error; });
    run(options_.connect_timeout, code);
    if (code) {
      return Error(ErrorCode::kRetry, "cannot connect to " + where() + ": " + code.message());
    }
    static_cast<void>(socket_->set_option(tcp::no_delay(true), code));
    return options_.tls ? shake_hands() : Status();
  }

  [[nodiscard]] Status prepare_tls() {
    if (context_.has_value()) {
      return {};
    }
    Code code;
    context_.emplace(asio::ssl::context::tls_client);
    if (options_.ca_file.empty()) {
      static_cast<void>(context_->set_default_verify_paths(code));
    } else {
      static_cast<void>(context_->load_verify_file(options_.ca_file, code));
    }
    if (code) {
      context_.reset();
      return Error(ErrorCode::kInvalid,
                   "cannot read the certificates in " + options_.ca_file + ": " + code.message());
    }
    return {};
  }

  [[nodiscard]] Status shake_hands() {
    PENSTOCK_TRY(prepare_tls());
    Code code;
    tls_.emplace(*socket_, *context_);
    static_cast<void>(tls_->set_verify_mode(asio::ssl::verify_peer, code));
    static_cast<void>(
        tls_->set_verify_callback(asio::ssl::host_name_verification(options_.host), code));
    std::string name = options_.host;  // what SSL_set_tlsext_host_name() does, without its cast
    SSL_ctrl(tls_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             name.data());
    code = asio::error::would_block;
    tls_->async_handshake(asio::ssl::stream_base::client, [&](const Code& error) { code = error; });
    run(options_.connect_timeout, code);
    if (code) {
      return Error(ErrorCode::kRetry, "no TLS with " + where() + ": " + code.message());
    }
    return {};
  }

  template <typename Stream>
  [[nodiscard]] Result<ClientResponse> exchange(Stream& stream, const ClientRequest& request) {
    const std::string head = format_head(request, options_);
    const std::array<asio::const_buffer, 2> parts = {
        asio::buffer(head), asio::buffer(request.body.data(), request.body.size())};
    http::response_parser<http::string_body> parser;
    parser.body_limit(options_.body_bytes_max);
    parser.skip(request.method == "HEAD");
    beast::flat_buffer buffer;
    Code code = asio::error::would_block;
    asio::async_write(stream, parts, [&](const Code& error, std::size_t) {
      // A server that refuses early answers before it has read everything: look for its answer
      // also after a failed write.
      static_cast<void>(error);
      http::async_read(stream, buffer, parser,
                       [&](const Code& read_error, std::size_t) { code = read_error; });
    });
    run(options_.request_timeout, code);
    if (code == asio::error::timed_out) {
      return Error(ErrorCode::kRetry, "no answer from " + where() + " in " +
                                          std::to_string(options_.request_timeout.count()) + " ms");
    }
    if (code.category() == make_error_code(http::error::end_of_stream).category() &&
        code != http::error::end_of_stream && code != http::error::partial_message) {
      return Error(ErrorCode::kInvalid,
                   "the answer of " + where() + " cannot be read: " + code.message());
    }
    if (code) {
      return Error(ErrorCode::kRetry, "lost the connection to " + where() + ": " + code.message());
    }
    return take_response(parser.get(), parser.keep_alive());
  }

  [[nodiscard]] ClientResponse take_response(http::response<http::string_body>& from,
                                             bool keep_alive) {
    ClientResponse response;
    response.status = static_cast<int>(from.result_int());
    for (const auto& field : from.base()) {
      response.headers.emplace_back(to_std(field.name_string()), to_std(field.value()));
    }
    response.body = std::move(from.body());
    if (!keep_alive) {
      close();
    }
    return response;
  }

  const Options options_;
  asio::io_context io_;
  Guarded<bool> interrupted_{false};
  std::optional<asio::ssl::context> context_;
  std::optional<tcp::socket> socket_;
  std::optional<TlsStream> tls_;  // over the socket
};

HttpClient::HttpClient(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<ClientResponse> HttpClient::send(const ClientRequest& request) {
  return impl_->send(request);
}

void HttpClient::interrupt() {
  impl_->interrupt();
}

Result<ClientResponse> HttpClient::get(std::string_view target) {
  return send({.method = "GET", .target = std::string(target)});
}

Result<ClientResponse> HttpClient::post(std::string_view target, std::string_view body) {
  return send({.method = "POST", .target = std::string(target), .body = body});
}

}  // namespace penstock::net
