#include "net/server_loop.h"

#include <chrono>
#include <string>

#include "core/check.h"
#include "net/http_connection.h"

namespace penstock::net {

namespace {

constexpr std::chrono::milliseconds kSweepInterval{250};

std::vector<std::reference_wrapper<Counter>> make_class_counters(telemetry::Registry& registry) {
  std::vector<std::reference_wrapper<Counter>> counters;
  for (const char* const name : {"other", "1xx", "2xx", "3xx", "4xx", "5xx"}) {
    counters.emplace_back(registry.counter(
        "penstock_http_responses_total", "HTTP responses by class of status.", {{"status", name}}));
  }
  return counters;
}

}  // namespace

ServerMetrics::ServerMetrics(telemetry::Registry& given)
    : registry(given),
      by_class(make_class_counters(given)),
      bytes_received(
          given.counter("penstock_http_received_bytes_total", "Bytes read from HTTP connections.")),
      bytes_sent(
          given.counter("penstock_http_sent_bytes_total", "Bytes written to HTTP connections.")),
      connections_accepted(
          given.counter("penstock_http_connections_accepted_total", "HTTP connections taken.")) {}

void ServerMetrics::count_refusal(std::string_view reason) {
  for (const auto& [known, counter] : refusals) {
    if (known == reason) {
      counter.get().add(1);
      return;
    }
  }
  Counter& counter =
      registry.counter("penstock_http_refused_total",
                       "Requests and connections turned away before a handler saw them, by reason.",
                       {{"reason", std::string(reason)}});
  refusals.emplace_back(reason, counter);
  counter.add(1);
}

ServerLoop::ServerLoop(ServerShared& all, const os::Clock& clock, telemetry::Registry& registry)
    : shared(all), limits(all.limits), metrics(registry), format(clock), loop(clock) {
  loop.call_at(clock.now() + kSweepInterval, [this] { sweep(); });
}

ServerLoop::~ServerLoop() {
  abort_connections();
}

void ServerLoop::mark_dirty(HttpConnection& connection) {
  if (!connection.dirty) {
    connection.dirty = true;
    connection.add_ref();
    dirty_.push_back(&connection);
    loop.arm(*this);
  }
}

void ServerLoop::on_turn_end() {
  flushing_.swap(dirty_);
  for (HttpConnection* const connection : flushing_) {
    connection->dirty = false;
    connection->flush();
    connection->drop_ref();
  }
  flushing_.clear();
}

void ServerLoop::add(HttpConnection& connection) {
  connection.list_position = connections_.size();
  connections_.push_back(&connection);
}

void ServerLoop::remove(HttpConnection& connection) {
  HttpConnection& last = *connections_.back();
  last.list_position = connection.list_position;
  connections_[connection.list_position] = &last;
  connections_.pop_back();
  load.sub(1);
  shared.connection_count.sub(1);
}

// Backwards, because a connection that closes is replaced by the last one, which has had its turn.
template <typename F>
void ServerLoop::for_each_connection(F&& function) {
  for (std::size_t i = connections_.size(); i > 0; --i) {
    HttpConnection& connection = *connections_[i - 1];
    connection.add_ref();  // it may close
    function(connection);
    connection.drop_ref();
  }
}

void ServerLoop::sweep() {
  const os::TimePoint now = loop.now();
  for_each_connection([&](HttpConnection& connection) { connection.check_deadlines(now); });
  loop.call_at(now + kSweepInterval, [this] { sweep(); });
}

void ServerLoop::stop_connections() {
  stopping = true;
  for_each_connection([](HttpConnection& connection) { connection.begin_stop(); });
}

void ServerLoop::abort_connections() {
  while (!connections_.empty()) {
    connections_.back()->close();
  }
  on_turn_end();  // drops the references of the dirty list
}

}  // namespace penstock::net
