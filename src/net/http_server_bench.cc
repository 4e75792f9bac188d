// What a request costs the server: CPU time of its thread, the client's is not counted.
//
// 32 connections, each with `pipelined` requests on the way; the handler answers at once.
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "core/counter.h"
#include "net/http_server.h"
#include "os/thread.h"
#include "telemetry/registry.h"

namespace penstock::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::string_view kAnswer =
    R"({"accepted":1,"duplicates":0,"dead_lettered":0,"errors":[]})";

class Accept final : public HttpHandler {
 public:
  void handle(RequestPtr request, Responder responder) override {
    benchmark::DoNotOptimize(request->body.data());
    responder.send({.body = kAnswer});
  }
};

// A server on a thread of its own that tells its CPU time.
class MeasuredServer {
 public:
  MeasuredServer() {
    auto opened = HttpServer::open({}, clock_, metrics_,
                                   [](EventLoop&) { return std::make_unique<Accept>(); });
    server_ = std::move(*opened);
    thread_.emplace("server", [this](const os::StopToken& stop) {
      while (!stop.requested()) {
        server_->run_once(0, std::chrono::milliseconds(5));
        cpu_ns_.set(static_cast<std::uint64_t>(os::thread_cpu_time().count()));
      }
    });
  }

  ~MeasuredServer() {
    thread_->request_stop();
    thread_->join();
  }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  [[nodiscard]] std::uint64_t cpu_ns() const { return cpu_ns_.get(); }

 private:
  os::RealClock clock_;
  telemetry::Registry metrics_;
  Counter cpu_ns_;
  std::unique_ptr<HttpServer> server_;
  std::optional<os::Thread> thread_;
};

std::string make_request(std::size_t body_size) {
  return "POST /v1/topics/web/events HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: bench\r\n"
         "Accept: */*\r\nContent-Type: application/x-ndjson\r\nContent-Length: " +
         std::to_string(body_size) + "\r\n\r\n" + std::string(body_size, 'x');
}

void serve(benchmark::State& state) {
  const auto body_size = static_cast<std::size_t>(state.range(0));
  const auto pipelined = static_cast<std::size_t>(state.range(1));
  const auto connection_count = static_cast<std::size_t>(state.range(2));
  MeasuredServer server;
  asio::io_context io;
  std::vector<tcp::socket> sockets;
  for (std::size_t i = 0; i < connection_count; ++i) {
    sockets.emplace_back(io).connect({asio::ip::address_v4::loopback(), server.port()});
    sockets.back().set_option(tcp::no_delay(true));
  }
  std::string requests;
  for (std::size_t i = 0; i < pipelined; ++i) {
    requests += make_request(body_size);
  }
  // All responses are of one size.
  std::string response(1000, '\0');
  asio::write(sockets[0], asio::buffer(make_request(body_size)));
  const std::size_t response_size = sockets[0].read_some(asio::buffer(response));
  std::string responses(response_size * pipelined, '\0');

  const std::uint64_t begin = server.cpu_ns();
  std::uint64_t count = 0;
  for (auto _ : state) {
    for (tcp::socket& socket : sockets) {
      asio::write(socket, asio::buffer(requests));
    }
    for (tcp::socket& socket : sockets) {
      asio::read(socket, asio::buffer(responses));
    }
    count += connection_count * pipelined;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
  state.counters["server_us_per_request"] =
      static_cast<double>(server.cpu_ns() - begin) / 1000 / static_cast<double>(count);
}

BENCHMARK(serve)
    ->ArgNames({"body", "pipelined", "connections"})
    ->Args({200, 1, 32})
    ->Args({200, 16, 8})
    ->Args({64 * 1024, 1, 8})
    ->Args({1024 * 1024, 1, 4})
    ->UseRealTime();

}  // namespace
}  // namespace penstock::net
