// ServerLoop is everything that the connections of one event loop share: handler, limits, pools,
// metrics, the list of connections and those that have something to write.
//
// For net/ only.
//
// Threads   belongs to its loop's thread, except ServerShared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/counter.h"
#include "core/memory_budget.h"
#include "net/decoder_pool.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "net/request_pool.h"
#include "net/response_format.h"
#include "telemetry/registry.h"

namespace penstock::net {

class HttpConnection;

// What all loops share.
struct ServerShared {
  explicit ServerShared(const HttpLimits& given) : limits(given), memory(given.memory_bytes_max) {}

  const HttpLimits limits;
  MemoryBudget memory;
  Counter connection_count;
};

struct ServerMetrics {
  explicit ServerMetrics(telemetry::Registry& registry);

  void count_response(int status) { by_class[static_cast<std::size_t>(status) / 100].get().add(1); }

  // A request or connection that was turned away before a handler saw it.
  void count_refusal(std::string_view reason);

  telemetry::Registry& registry;
  std::vector<std::reference_wrapper<Counter>> by_class;  // [2] is 2xx; [0] counts oddities
  Counter& bytes_received;
  Counter& bytes_sent;
  Counter& connections_accepted;
  std::vector<std::pair<std::string_view, std::reference_wrapper<Counter>>> refusals;
};

class ServerLoop final : private TurnEndHook {
 public:
  ServerLoop(ServerShared& shared, const os::Clock& clock, telemetry::Registry& registry);
  ~ServerLoop() override;

  // The connection will be flushed at the end of this turn.
  void mark_dirty(HttpConnection& connection);

  void add(HttpConnection& connection);
  void remove(HttpConnection& connection);

  // Closes idle connections and lets the others finish.
  void stop_connections();
  void abort_connections();

  ServerShared& shared;
  const HttpLimits& limits;
  ServerMetrics metrics;
  RequestPool requests;
  DecoderPool decoders;
  ResponseFormat format;
  EventLoop loop;                        // may hold tasks with requests: goes before the pools
  std::unique_ptr<HttpHandler> handler;  // may hold requests and responders
  Counter load;                          // connections of this loop; read by others to balance
  bool stopping = false;

 private:
  void on_turn_end() override;
  void sweep();
  template <typename F>
  void for_each_connection(F&& function);

  std::vector<HttpConnection*> connections_;
  std::vector<HttpConnection*> dirty_;
  std::vector<HttpConnection*> flushing_;
};

}  // namespace penstock::net
