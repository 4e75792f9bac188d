// SmallServer is a real HTTP server with the real gateway and console in front of a simulated log,
// for tests of the commands that speak to a running server.
//
// Threads   everything of the server runs on one thread of its own; the test's thread only sends
//           requests to url().
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "console/console_api.h"
#include "console/health.h"
#include "console/worker.h"
#include "gateway/gateway.h"
#include "net/http_server.h"
#include "net/router.h"
#include "os/clock.h"
#include "os/thread.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/fake_query_port.h"
#include "testing/sim_log.h"

namespace penstock::app {

class SmallServer {
 public:
  explicit SmallServer(gateway::GatewayOptions options) {
    auto gateway = gateway::Gateway::open(log_, clock_, metrics_, logger_, std::move(options));
    PENSTOCK_CHECK(gateway.has_value());
    gateway_ = std::move(*gateway);
    auto server = net::HttpServer::open({}, clock_, metrics_, [this](net::EventLoop& loop) {
      auto router = std::make_unique<net::Router>();
      gateway_->add_routes(*router, loop);
      console::add_routes(*router, loop, {log_, worker_, &queries_, metrics_, health_}, {});
      return router;
    });
    PENSTOCK_CHECK(server.has_value());
    server_ = std::move(*server);
    health_.set_phase(console::Phase::kRunning);
    thread_ = std::make_unique<os::Thread>("small-server",
                                           [this](const os::StopToken& stop) { run(stop); });
  }

  ~SmallServer() {
    thread_->request_stop();
    thread_->join();
  }

  SmallServer(const SmallServer&) = delete;
  SmallServer& operator=(const SmallServer&) = delete;

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port());
  }

 private:
  void run(const os::StopToken& stop) {
    while (!stop.requested() || !server_->stopped()) {
      if (stop.requested()) {
        server_->begin_stop();
      }
      server_->run_once(0, std::chrono::milliseconds(1));
      log_.run_once();
      worker_.run_once();
      PENSTOCK_CHECK(gateway_->run_once().has_value());
    }
  }

  os::RealClock clock_;
  telemetry::Registry metrics_;
  telemetry::Logger logger_{clock_, {.level = telemetry::LogLevel::kError}};
  testing::SimLog log_;
  testing::FakeQueryPort queries_;
  console::Health health_;
  console::Worker worker_{log_, clock_, {}};
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<os::Thread> thread_;
};

}  // namespace penstock::app
