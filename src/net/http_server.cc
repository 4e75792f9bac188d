#include "net/http_server.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "core/check.h"
#include "net/event_loop_impl.h"
#include "net/http_connection.h"
#include "net/server_loop.h"
#include "telemetry/registry.h"

namespace penstock::net {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kAcceptRetry{100};

// What a connection over the limit hears before it is closed.
constexpr std::string_view kTooManyConnections =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 69\r\n"
    "Retry-After: 1\r\nConnection: close\r\n\r\n"
    R"({"code":"too_many_connections","message":"too many open connections"})";

// SO_REUSEPORT, which Asio has no public name for.
class ReusePort {
 public:
  template <typename Protocol>
  [[nodiscard]] int level(const Protocol&) const {
    return SOL_SOCKET;
  }

  template <typename Protocol>
  [[nodiscard]] int name(const Protocol&) const {
    return SO_REUSEPORT;
  }

  template <typename Protocol>
  [[nodiscard]] const int* data(const Protocol&) const {
    return &value_;
  }

  template <typename Protocol>
  [[nodiscard]] std::size_t size(const Protocol&) const {
    return sizeof(value_);
  }

 private:
  int value_ = 1;
};

Error bind_error(const tcp::endpoint& at, const boost::system::error_code& error) {
  const std::string where = at.address().to_string() + " port " + std::to_string(at.port());
  if (error == asio::error::address_in_use) {
    return {ErrorCode::kBusy, "cannot listen on " + where + ": another program does"};
  }
  return {ErrorCode::kInvalid, "cannot listen on " + where + ": " + error.message()};
}

std::string to_text(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

enum class Sharing { kAlone, kReusePort };

Result<tcp::acceptor> bind(asio::io_context& io, const tcp::endpoint& at, Sharing sharing) {
  tcp::acceptor acceptor(io);
  boost::system::error_code error;
  static_cast<void>(acceptor.open(at.protocol(), error));
  if (!error) {
    static_cast<void>(acceptor.set_option(tcp::acceptor::reuse_address(true), error));
  }
  if (!error && sharing == Sharing::kReusePort) {
    static_cast<void>(acceptor.set_option(ReusePort(), error));
  }
  if (!error) {
    static_cast<void>(acceptor.bind(at, error));
  }
  if (error) {
    return bind_error(at, error);
  }
  return acceptor;
}

}  // namespace

// One event loop with its listening socket.
struct Listener {
  Listener(ServerShared& shared, const os::Clock& clock, telemetry::Registry& metrics)
      : server(shared, clock, metrics), acceptor(server.loop.impl().io) {}

  [[nodiscard]] Status listen(const tcp::endpoint& at) {
    PENSTOCK_TRY_ASSIGN(acceptor, bind(server.loop.impl().io, at, Sharing::kReusePort));
    boost::system::error_code error;
    static_cast<void>(acceptor.non_blocking(true, error));
    if (!error) {
      static_cast<void>(acceptor.listen(asio::socket_base::max_listen_connections, error));
    }
    return error ? Status(bind_error(at, error)) : Status();
  }

  ServerLoop server;
  tcp::acceptor acceptor;
};

class HttpServer::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), shared_(options_.limits) {}

  [[nodiscard]] Status open(const os::Clock& clock, telemetry::Registry& metrics,
                            const HandlerFactory& make_handler) {
    PENSTOCK_TRY_ASSIGN(const tcp::endpoint at, endpoint());
    for (std::size_t i = 0; i < options_.loop_count; ++i) {
      listeners_.push_back(std::make_unique<Listener>(shared_, clock, metrics));
      PENSTOCK_TRY(listeners_[i]->listen({at.address(), i == 0 ? at.port() : port_}));
      port_ = listeners_[0]->acceptor.local_endpoint().port();
    }
    for (const auto& listener : listeners_) {
      listener->server.handler = make_handler(listener->server.loop);
      accept(*listener);
    }
    guards_.push_back(metrics.gauge_callback(
        "penstock_http_connections", "Open HTTP connections.", {},
        [this] { return static_cast<double>(shared_.connection_count.get()); }));
    guards_.push_back(metrics.gauge_callback(
        "penstock_http_memory_bytes", "Buffered for HTTP requests and responses.", {},
        [this] { return static_cast<double>(shared_.memory.used()); }));
    guards_.push_back(
        metrics.gauge_callback("penstock_http_memory_limit_bytes", "The most that may be buffered.",
                               {}, [this] { return static_cast<double>(shared_.memory.limit()); }));
    return {};
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  [[nodiscard]] ServerLoop& server(std::size_t index) { return listeners_.at(index)->server; }

  [[nodiscard]] std::size_t loop_count() const { return listeners_.size(); }

  [[nodiscard]] ServerShared& shared() { return shared_; }

  void begin_stop() {
    for (const auto& listener : listeners_) {
      listener->server.loop.post([this, &listener = *listener] { stop(listener); });
    }
  }

  [[nodiscard]] bool stopped() const {
    return stopped_count_.get() == listeners_.size() && shared_.connection_count.get() == 0;
  }

 private:
  [[nodiscard]] Result<tcp::endpoint> endpoint() {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options_.host, error);
    if (error) {
      return Error(ErrorCode::kInvalid, "cannot listen on '" + options_.host +
                                            "': give an IP address, such as 127.0.0.1 or 0.0.0.0");
    }
    const tcp::endpoint at(address, options_.port);
    if (options_.port != 0) {
      // With SO_REUSEPORT a second server of the same user would silently get half of the
      // connections, so the port is tried without it first.
      asio::io_context io;
      PENSTOCK_TRY(bind(io, at, Sharing::kAlone));
    }
    return at;
  }

  void accept(Listener& listener) {
    listener.acceptor.async_accept(
        [this, &listener](const boost::system::error_code& error, tcp::socket socket) {
          if (error == asio::error::operation_aborted || !listener.acceptor.is_open()) {
            return;
          }
          if (!error) {
            place(listener, std::move(socket));
            accept(listener);
            return;
          }
          // Most often the limit of open files; a moment later some may be closed.
          listener.server.metrics.count_refusal("accept_failed");
          EventLoop& loop = listener.server.loop;
          loop.call_at(loop.now() + kAcceptRetry, [this, &listener] {
            if (listener.acceptor.is_open()) {
              accept(listener);
            }
          });
        });
  }

  // Gives the connection to the loop that accepted it, or to a less busy one: the kernel spreads
  // them by hash, which is uneven when they are few.
  void place(Listener& listener, tcp::socket socket) {
    listener.server.metrics.connections_accepted.add(1);
    shared_.connection_count.add(1);
    if (shared_.connection_count.get() > options_.limits.connections_max) {
      listener.server.metrics.count_refusal("too_many_connections");
      shared_.connection_count.sub(1);
      boost::system::error_code ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(kTooManyConnections), ignored);
      return;
    }
    Listener& least = **std::min_element(
        listeners_.begin(), listeners_.end(),
        [](const auto& a, const auto& b) { return a->server.load.get() < b->server.load.get(); });
    if (listener.server.load.get() <= least.server.load.get()) {
      listener.server.load.add(1);
      begin(listener, std::move(socket));
      return;
    }
    least.server.load.add(1);
    boost::system::error_code error;
    const tcp protocol = socket.local_endpoint(error).protocol();
    const int descriptor = socket.release(error);
    least.server.loop.post([this, &least, protocol, descriptor] {
      boost::system::error_code failed;
      tcp::socket moved(least.server.loop.impl().io);
      static_cast<void>(moved.assign(protocol, descriptor, failed));
      begin(least, std::move(moved));
    });
  }

  void begin(Listener& listener, tcp::socket socket) {
    boost::system::error_code error;
    const tcp::endpoint remote = socket.remote_endpoint(error);  // fails if the client is gone
    if (error) {
      listener.server.load.sub(1);
      shared_.connection_count.sub(1);
      return;
    }
    auto* const connection =
        new HttpConnection(listener.server, std::move(socket), to_text(remote.address()));
    connection->start();
    if (listener.server.stopping) {
      connection->begin_stop();
    }
  }

  void stop(Listener& listener) {
    boost::system::error_code error;
    for (;;) {  // what has connected already would be reset by closing the listening socket
      tcp::socket socket(listener.server.loop.impl().io);
      static_cast<void>(listener.acceptor.accept(socket, error));
      if (error) {
        break;
      }
      place(listener, std::move(socket));
    }
    static_cast<void>(listener.acceptor.close(error));
    listener.server.stop_connections();
    stopped_count_.add(1);
  }

  const Options options_;
  ServerShared shared_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  Counter stopped_count_;
  std::uint16_t port_ = 0;
  std::vector<telemetry::CallbackGuard> guards_;
};

Responder::Responder(ResponseSink& sink, std::uint64_t sequence)
    : sink_(&sink), sequence_(sequence) {
  sink_->add_ref();
}

Responder::~Responder() {
  if (sink_ != nullptr) {
    send_error(500, "internal", "the request was dropped");
  }
}

void Responder::send(const HttpResponse& response) {
  PENSTOCK_CHECK(sink_ != nullptr);
  ResponseSink* const sink = std::exchange(sink_, nullptr);
  sink->answer(sequence_, response);
  sink->drop_ref();
}

void Responder::send_error(int status, std::string_view code, std::string_view message) {
  const bool again = status == 429 || status == 503;
  send({.status = status,
        .body = error_body(code, message),
        .extra_headers = again ? "Retry-After: 1\r\n" : ""});
}

void Responder::send_error(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kBusy:
      send_error(429, "overloaded", error.message());
      break;
    case ErrorCode::kInvalid:
      send_error(400, "bad_request", error.message());
      break;
    case ErrorCode::kNotFound:
      send_error(404, "not_found", error.message());
      break;
    case ErrorCode::kRetry:
    case ErrorCode::kFatal:
      send_error(503, "unavailable", error.message());
      break;
    case ErrorCode::kAbortTxn:
    case ErrorCode::kFenced:
    case ErrorCode::kCorrupt:
      send_error(500, "internal", error.message());
      break;
  }
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::open(Options options, const os::Clock& clock,
                                                     telemetry::Registry& metrics,
                                                     const HandlerFactory& make_handler) {
  PENSTOCK_CHECK(options.loop_count > 0);
  PENSTOCK_CHECK(options.limits.pipelined_max > 0);
  auto impl = std::make_unique<Impl>(std::move(options));
  PENSTOCK_TRY(impl->open(clock, metrics, make_handler));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::uint16_t HttpServer::port() const {
  return impl_->port();
}

std::size_t HttpServer::loop_count() const {
  return impl_->loop_count();
}

EventLoop& HttpServer::loop(std::size_t index) {
  return impl_->server(index).loop;
}

MemoryBudget& HttpServer::memory() {
  return impl_->shared().memory;
}

std::size_t HttpServer::run_once(std::size_t index, std::chrono::microseconds wait_max) {
  return impl_->server(index).loop.run_once(wait_max);
}

void HttpServer::begin_stop() {
  impl_->begin_stop();
}

bool HttpServer::stopped() const {
  return impl_->stopped();
}

}  // namespace penstock::net
