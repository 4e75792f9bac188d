// LoopbackFixture runs a server and its clients on the test's own thread, with simulated time.
//
// Real sockets on 127.0.0.1, nothing else real: the server's loop is turned by hand between the
// client's reads and writes, so tests neither sleep nor race. For tests of net/ only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "net/http_server.h"
#include "telemetry/registry.h"
#include "testing/sim_clock.h"

namespace penstock::net {

class LoopbackFixture : public ::testing::Test {
 protected:
  using Handle = std::function<void(RequestPtr, Responder)>;

  // Answers with "<method> <target> <body>".
  static void echo(RequestPtr request, Responder responder) {
    const std::string body = std::string(to_string(request->method)) + " " +
                             std::string(request->target) + " " + std::string(request->body.text());
    responder.send({.content_type = "text/plain", .body = body});
  }

  void start(HttpLimits limits = {}, Handle handle = echo) {
    handle_ = std::move(handle);
    auto opened = HttpServer::open({.loop_count = loop_count_, .limits = limits}, clock_, metrics_,
                                   [this](EventLoop&) { return std::make_unique<Adapter>(*this); });
    ASSERT_TRUE(opened) << opened.error().message();
    server_ = std::move(*opened);
  }

  // Turns all loops until they have nothing more to do at once.
  void pump(std::chrono::microseconds wait = std::chrono::microseconds(0)) {
    for (int idle_turns = 0; idle_turns < 2;) {
      std::size_t count = 0;
      for (std::size_t loop = 0; loop < server_->loop_count(); ++loop) {
        count += server_->run_once(loop, wait);
      }
      idle_turns = count > 0 ? 0 : idle_turns + 1;
    }
  }

  // Moves time on in steps that the server notices.
  void pass(std::chrono::milliseconds time) {
    for (std::chrono::milliseconds step{250}; time.count() > 0; time -= step) {
      clock_.advance(std::min(step, time));
      pump();
    }
  }

  class Client {
   public:
    explicit Client(LoopbackFixture& fixture) : fixture_(fixture), socket_(fixture.io_) {
      socket_.connect({boost::asio::ip::address_v4::loopback(), fixture.server_->port()});
      socket_.non_blocking(true);
    }

    void send(std::string_view bytes) {
      int stalled = 0;
      while (!bytes.empty() && stalled < 200) {
        boost::system::error_code error;
        const std::size_t sent = socket_.write_some(
            boost::asio::buffer(bytes.data(), std::min<std::size_t>(bytes.size(), 65536)), error);
        bytes.remove_prefix(sent);
        if (error && error != boost::asio::error::would_block) {
          break;  // the server has closed; what it said can still be read
        }
        stalled = sent > 0 ? 0 : stalled + 1;
        fixture_.pump();
      }
      fixture_.pump();
    }

    // Whatever has come, after giving the server time to send it: longer if nothing comes.
    std::string receive() {
      std::string all = std::exchange(received_, {});
      for (int quiet = 0; quiet < (all.empty() ? 10 : 2) && !(ended_ && quiet > 0);) {
        fixture_.pump(quiet > 0 ? std::chrono::milliseconds(1) : std::chrono::milliseconds(0));
        const std::string more = read_available();
        quiet = more.empty() ? quiet + 1 : 0;
        all += more;
      }
      return all;
    }

    // At most `size` bytes of what has come.
    std::string receive_some(std::size_t size) {
      fixture_.pump();
      std::string all(size, '\0');
      std::size_t at = 0;
      boost::system::error_code error;
      while (at < size && !error) {
        at += socket_.read_some(boost::asio::buffer(all.data() + at, size - at), error);
      }
      all.resize(at);
      return all;
    }

    // True once the server has closed its side (or reset).
    bool closed() {
      received_ += receive();
      return ended_;
    }

    void finish_sending() {
      boost::system::error_code ignored;
      socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
      fixture_.pump();
    }

    void close() {
      socket_.close();
      fixture_.pump();
    }

   private:
    std::string read_available() {
      std::string all;
      std::string piece(65536, '\0');
      for (;;) {
        boost::system::error_code error;
        const std::size_t size = socket_.read_some(boost::asio::buffer(piece), error);
        if (error) {
          ended_ = ended_ || error != boost::asio::error::would_block;
          return all;
        }
        all.append(piece, 0, size);
      }
    }

    LoopbackFixture& fixture_;
    boost::asio::ip::tcp::socket socket_;
    std::string received_;
    bool ended_ = false;
  };

  // The answers to `request` on a connection of its own.
  std::string ask(std::string_view request) {
    Client client(*this);
    client.send(request);
    return client.receive();
  }

  static int status_of(std::string_view response) {
    return response.starts_with("HTTP/1.1 ") ? std::stoi(std::string(response.substr(9, 3))) : 0;
  }

  static std::string body_of(std::string_view response) {
    const std::size_t end = response.find("\r\n\r\n");
    return end == std::string_view::npos ? std::string() : std::string(response.substr(end + 4));
  }

  // A zstd frame of `block_count` blocks of 128 KiB of the letter z: 4 bytes each (RFC 8878, RLE).
  static std::string zstd_of_z(int block_count) {
    std::string frame("\x28\xb5\x2f\xfd\x00\x38", 6);  // window of 128 KiB
    for (int i = 0; i < block_count; ++i) {
      const unsigned header = (131072U << 3) | (1U << 1) | (i + 1 == block_count ? 1U : 0U);
      for (unsigned shift = 0; shift < 24; shift += 8) {
        frame += static_cast<char>((header >> shift) & 0xff);
      }
      frame += 'z';
    }
    return frame;
  }

  static std::string post(std::string_view headers, std::string_view body) {
    return "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + std::string(headers) + "\r\n" + std::string(body);
  }

  static std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos;
         at = text.find(part, at + part.size())) {
      ++found;
    }
    return found;
  }

  double refused(const std::string& reason) {
    return metrics_.value("penstock_http_refused_total", {{"reason", reason}}).value_or(0);
  }

  std::size_t loop_count_ = 1;
  penstock::testing::SimClock clock_;
  telemetry::Registry metrics_;
  boost::asio::io_context io_;
  Handle handle_;
  std::unique_ptr<HttpServer> server_;

 private:
  class Adapter final : public HttpHandler {
   public:
    explicit Adapter(LoopbackFixture& fixture) : fixture_(fixture) {}

    void handle(RequestPtr request, Responder responder) override {
      fixture_.handle_(std::move(request), std::move(responder));
    }

   private:
    LoopbackFixture& fixture_;
  };
};

}  // namespace penstock::net
