// HttpServer takes HTTP/1.1 requests on a few event loops and hands whole ones to a handler.
//
// Each loop has its own listening socket (SO_REUSEPORT), connections and handler object, so loops
// share nothing but the limits. Connections stay open and may be pipelined: requests are handed on
// as they arrive, responses go out in order, those that are ready together in one write.
// Bodies are read straight into a PaddedBuffer; chunked and gzip, deflate, zstd bodies are undone.
//
// What is refused, and how: docs in net/README.md. Every refusal is an answer with a body of
// {"code","message"} where HTTP allows one, else a closed connection.
//
//   apps:   for each loop i, a thread: while (!stop) server->run_once(i, 50ms);
//           begin_stop(), and the same until stopped().
//
// Invariants
//   I1  Responses of a connection go out in the order of its requests.
//   I2  Bytes buffered for requests and responses never exceed `memory_bytes_max` over all loops.
//   I3  A request that reached its handler is answered or its connection closed, also when
//   stopping.
// Threads   open(), port(), begin_stop(), stopped() from any; run_once(i) and handlers on thread i.
// Lifetime  clock, metrics and budget outlive the server. Destroy it when no thread is in
// run_once()
//           and no Responder is left (those that are left answer nobody).
// Errors    open(): kInvalid  the address cannot be used
//                   kBusy     the port is taken
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/memory_budget.h"
#include "core/result.h"
#include "core/units.h"
#include "net/event_loop.h"
#include "net/http_message.h"
#include "os/clock.h"

namespace penstock::telemetry {
class Registry;
}

namespace penstock::net {

// Where a Responder's answer goes: a connection, or a recorder in tests.
class ResponseSink {
 public:
  // Called once per sequence number given to a Responder.
  virtual void answer(std::uint64_t sequence, const HttpResponse& response) = 0;

  // Each Responder holds one reference to its sink.
  virtual void add_ref() = 0;
  virtual void drop_ref() = 0;

 protected:
  virtual ~ResponseSink() = default;
};

// Answers one request, once. May be kept and used later, on the loop's thread; one that is
// destroyed unused answers 500. If the connection is gone by then, send() does nothing.
class Responder {
 public:
  Responder() = default;
  Responder(ResponseSink& sink, std::uint64_t sequence);

  Responder(Responder&& other) noexcept
      : sink_(std::exchange(other.sink_, nullptr)), sequence_(other.sequence_) {}

  Responder& operator=(Responder&& other) noexcept {
    std::swap(sink_, other.sink_);
    std::swap(sequence_, other.sequence_);
    return *this;
  }

  ~Responder();

  void send(const HttpResponse& response);

  // {"code":...,"message":...}; 429 and 503 carry Retry-After: 1.
  void send_error(int status, std::string_view code, std::string_view message);

  // The status that fits the reaction of an Error: 404, 400, 429, 503, 500.
  void send_error(const Error& error);

 private:
  ResponseSink* sink_ = nullptr;
  std::uint64_t sequence_ = 0;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual void handle(RequestPtr request, Responder responder) = 0;
};

struct HttpLimits {
  std::size_t body_bytes_max = 16 * kMiB;  // as sent, and after decompression
  std::size_t head_bytes_max = 32 * kKiB;  // request line and headers together
  std::size_t target_bytes_max = 8 * kKiB;
  std::size_t header_count_max = 100;
  std::size_t connections_max = 10'000;            // over all loops; more are closed at once
  std::size_t pipelined_max = 16;                  // unanswered requests of one connection
  std::size_t memory_bytes_max = 256 * kMiB;       // I2
  std::size_t response_bytes_max = 1 * kMiB;       // unsent; more pauses reading that connection
  std::chrono::milliseconds head_timeout{10'000};  // from a request's first byte to its whole head
  std::chrono::milliseconds body_timeout{10'000};  // in each, `body_bytes_per_timeout` must come
  std::size_t body_bytes_per_timeout = 4 * kKiB;
  std::chrono::milliseconds idle_timeout{75'000};   // between requests
  std::chrono::milliseconds write_timeout{30'000};  // in each, the client must take this much of
  std::size_t response_bytes_per_timeout = 256 * kKiB;  // its responses, or all that is left
};

class HttpServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";  // an address, not a name
    std::uint16_t port = 0;          // 0: any free one, see port()
    std::size_t loop_count = 1;
    HttpLimits limits;
  };

  // Called by open(), once for each loop.
  using HandlerFactory = std::function<std::unique_ptr<HttpHandler>(EventLoop& loop)>;

  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> open(Options options,
                                                                const os::Clock& clock,
                                                                telemetry::Registry& metrics,
                                                                const HandlerFactory& make_handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t loop_count() const;
  [[nodiscard]] EventLoop& loop(std::size_t index);

  // What all loops together may buffer; handlers take from it for what they keep of requests.
  [[nodiscard]] MemoryBudget& memory();

  // One turn of loop `index`; returns how many handlers it ran.
  std::size_t run_once(std::size_t index, std::chrono::microseconds wait_max);

  // Stops accepting, closes idle connections and the others after what they have in flight.
  void begin_stop();
  // True once the last connection is closed after begin_stop().
  [[nodiscard]] bool stopped() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::net
