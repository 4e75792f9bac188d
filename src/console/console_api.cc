#include "console/console_api.h"

#include <array>
#include <utility>
#include <vector>

#include "console/dead_letter_page.h"
#include "console/dead_letter_stats.h"
#include "console/event_request.h"
#include "console/parameters.h"
#include "console/reply_box.h"
#include "console/store_json.h"
#include "core/json_writer.h"
#include "core/ref_counted.h"
#include "log/partitions.h"

namespace penstock::console {

namespace {

enum class Needs { kNothing, kIngest, kTopics, kStores };

struct Endpoint {
  Needs needs;
  std::string_view method_and_path;
  std::string_view what;
};

constexpr std::array kEndpoints = {
    Endpoint{Needs::kIngest, "POST /v1/topics/{topic}/events",
             "send events: an object, an array or NDJSON"},
    Endpoint{Needs::kTopics, "GET /v1/topics", "topics, their partitions and offsets"},
    Endpoint{Needs::kTopics, "GET /v1/topics/{topic}", "one topic"},
    Endpoint{Needs::kTopics,
             "GET /v1/topics/{topic}/events?partition=&offset=&limit=", "events as NDJSON"},
    Endpoint{Needs::kTopics, "GET /v1/dead-letters?topic=&code=&sink=&since=&until=&quarantined=",
             "how many dead letters there are, by topic, reason and hour"},
    Endpoint{Needs::kTopics,
             "GET /v1/dead-letters/{topic}?code=&sink=&since=&until=&quarantined=&offset=&limit=",
             "dead letters of a topic with their bytes"},
    Endpoint{Needs::kIngest, "POST /v1/dead-letters/{topic}/{offset}/replay",
             "send a dead letter to its topic again, edited or as it is"},
    Endpoint{Needs::kIngest, "POST /v1/dead-letters/{topic}/purge",
             "remove dead letters, all or those before a time"},
    Endpoint{Needs::kStores, "GET /v1/stores", "state stores"},
    Endpoint{Needs::kStores,
             "GET /v1/stores/{store}?from=&to=&limit=&cursor=", "entries of a store"},
    Endpoint{Needs::kStores,
             "GET /v1/stores/{store}/{key}?from=&to=&limit=&cursor=", "entries of one key"},
    Endpoint{Needs::kNothing, "GET /health/live", "200 while the process runs"},
    Endpoint{Needs::kNothing, "GET /health/ready",
             "200 while requests are taken, else 503 and why not"},
    Endpoint{Needs::kNothing, "GET /metrics", "metrics in Prometheus' text format"},
};

Reply json_reply(std::string body) {
  return {.body = std::move(body), .extra_headers = ""};
}

// 400, 404, 429, 500 or 503, by the reaction the code stands for.
Reply failure_reply(const Error& error, std::string_view not_found_code) {
  switch (error.code()) {
    case ErrorCode::kInvalid:
      return error_reply(400, "invalid_parameter", error.message());
    case ErrorCode::kNotFound:
      return error_reply(404, not_found_code, error.message());
    case ErrorCode::kBusy:
      return error_reply(429, "busy", error.message());
    case ErrorCode::kRetry:
    case ErrorCode::kFatal:
      return error_reply(503, "unavailable", error.message());
    case ErrorCode::kCorrupt:
      return error_reply(500, "corrupt", error.message());
    case ErrorCode::kAbortTxn:
    case ErrorCode::kFenced:
      break;
  }
  return error_reply(500, "internal", error.message());
}

void write_optional(JsonWriter& json, std::string_view name, std::optional<std::int64_t> number) {
  json.key(name);
  if (number) {
    json.value(*number);
  } else {
    json.null();
  }
}

Status write_topic(JsonWriter& json, const log::Log& log, const log::TopicInfo& topic) {
  const log::TopicConfig& config = topic.config;
  json.begin_object().key("name").value(config.name).key("partitions").begin_array();
  PENSTOCK_TRY_ASSIGN(const std::vector<log::PartitionBounds> bounds,
                      log.bounds(log::partitions_of(topic.id, config.partition_count)));
  for (const log::PartitionBounds& at : bounds) {
    json.begin_object().key("partition").value(at.partition.partition.value());
    json.key("start").value(at.start.value()).key("end").value(at.end.value());
    json.end_object();
  }
  json.end_array().key("config").begin_object();
  json.key("cleanup");
  json.value(config.cleanup == log::CleanupPolicy::kCompact ? "compact" : "delete");
  write_optional(
      json, "retention_ms",
      config.retention_time ? std::optional(config.retention_time->count()) : std::nullopt);
  write_optional(json, "retention_bytes",
                 config.retention_bytes
                     ? std::optional(static_cast<std::int64_t>(*config.retention_bytes))
                     : std::nullopt);
  json.end_object().end_object();
  return {};
}

// Why the process should get no traffic now; empty if it should.
std::vector<std::string> not_ready_reasons(const Backends& backends, bool shared) {
  std::vector<std::string> reasons;
  switch (backends.health.phase()) {
    case Phase::kStarting:
      reasons.emplace_back("starting");
      break;
    case Phase::kStopping:
      reasons.emplace_back("stopping");
      break;
    case Phase::kRunning:
      break;
  }
  const log::LogStatus status = backends.log.status();
  if (!status.writable) {
    reasons.push_back("the log takes no events: " + status.reason);
  }
  if (backends.queries == nullptr) {
    return reasons;
  }
  for (const store::StoreDescription& store : backends.queries->stores()) {
    const std::int32_t wanted = shared ? store.partitions_owned : store.partition_count;
    if (store.partitions_ready < wanted) {
      reasons.push_back("store " + store.name +
                        " is being restored: " + std::to_string(store.partitions_ready) + " of " +
                        std::to_string(wanted) + " partitions are ready");
    }
  }
  return reasons;
}

Result<store::StoreQuery> parse_store_query(const net::HttpRequest& request) {
  PENSTOCK_TRY_ASSIGN(const Parameters parameters,
                      Parameters::parse(request.query, {"from", "to", "limit", "cursor"}));
  store::StoreQuery query;
  PENSTOCK_TRY_ASSIGN(query.from, parameters.time("from"));
  PENSTOCK_TRY_ASSIGN(query.to, parameters.time("to"));
  PENSTOCK_TRY_ASSIGN(const std::optional<std::int64_t> limit,
                      parameters.integer("limit", 1, store::StoreQuery::kLimitMax));
  query.limit = static_cast<std::uint32_t>(limit.value_or(query.limit));
  query.cursor = parameters.text("cursor").value_or("");
  query.store = request.path_parameters.front();
  if (request.path_parameters.size() > 1) {
    query.key.emplace(request.path_parameters.begin() + 1, request.path_parameters.end());
  }
  return query;
}

Reply store_reply(const Result<store::StoreAnswer>& answer) {
  return answer ? json_reply(to_json(*answer)) : failure_reply(answer.error(), "unknown_store");
}

// The routes of one event loop; lives as long as they do.
class ConsoleApi final : public RefCounted {
 public:
  ConsoleApi(net::EventLoop& loop, const Backends& backends, ConsoleOptions options)
      : backends_(backends), options_(std::move(options)), replies_(loop, options_.waiting_max) {}

  [[nodiscard]] bool has(Needs needed) const;
  [[nodiscard]] Reply index() const;
  [[nodiscard]] Reply live() const;
  [[nodiscard]] Reply ready() const;
  [[nodiscard]] Reply metrics_page() const;
  void list_topics(const net::HttpRequest& request, net::Responder responder);
  void show_topic(const net::HttpRequest& request, net::Responder responder);
  [[nodiscard]] Reply list_stores() const;
  void read_events(const net::HttpRequest& request, net::Responder responder);
  void count_dead_letters(const net::HttpRequest& request, net::Responder responder);
  void list_dead_letters(const net::HttpRequest& request, net::Responder responder);
  void query_store(const net::HttpRequest& request, net::Responder responder);

 private:
  template <typename Query, typename Answer>
  void ask_dead_letters(net::Responder responder, Result<Query> query, Answer answer);
  template <typename MakeReply>
  void on_worker(net::Responder responder, MakeReply make_reply);

  const Backends backends_;
  const ConsoleOptions options_;
  ReplyBox replies_;
};

bool ConsoleApi::has(Needs needed) const {
  switch (needed) {
    case Needs::kNothing:
      break;
    case Needs::kIngest:
      return options_.ingest;
    case Needs::kTopics:
      return options_.topics;
    case Needs::kStores:
      return backends_.queries != nullptr;
  }
  return true;
}

Reply ConsoleApi::index() const {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("name").value("penstock").key("version").value(options_.version);
  json.key("endpoints").begin_object();
  for (const Endpoint& endpoint : kEndpoints) {
    if (has(endpoint.needs)) {
      json.key(endpoint.method_and_path).value(endpoint.what);
    }
  }
  json.end_object().end_object();
  return json_reply(std::move(body));
}

Reply ConsoleApi::live() const {
  return json_reply(R"({"status":"live"})");
}

Reply ConsoleApi::ready() const {
  const std::vector<std::string> reasons = not_ready_reasons(backends_, options_.shared);
  if (reasons.empty()) {
    return json_reply(R"({"status":"ready"})");
  }
  std::string message;
  for (const std::string& reason : reasons) {
    message += (message.empty() ? "" : "; ") + reason;
  }
  Reply reply = error_reply(503, "not_ready", message);
  reply.body.clear();
  JsonWriter json(reply.body);
  json.begin_object().key("code").value("not_ready").key("message").value(message);
  json.key("reasons").begin_array();
  for (const std::string& reason : reasons) {
    json.value(reason);
  }
  json.end_array().end_object();
  return reply;
}

Reply ConsoleApi::metrics_page() const {
  return {.content_type = std::string(telemetry::exposition_content_type()),
          .body = backends_.metrics.expose(),
          .extra_headers = ""};
}

// The log may have to ask another machine, so the worker does it.
void ConsoleApi::list_topics(const net::HttpRequest& /*request*/, net::Responder responder) {
  on_worker(std::move(responder), [&log = backends_.log](EventReader&) -> Result<Reply> {
    std::string body;
    JsonWriter json(body);
    json.begin_object().key("topics").begin_array();
    for (const log::TopicInfo& topic : log.topics()) {
      PENSTOCK_TRY(write_topic(json, log, topic));
    }
    json.end_array().end_object();
    return json_reply(std::move(body));
  });
}

void ConsoleApi::show_topic(const net::HttpRequest& request, net::Responder responder) {
  on_worker(std::move(responder),
            [&log = backends_.log,
             name = request.path_parameters.front()](EventReader&) -> Result<Reply> {
              PENSTOCK_TRY_ASSIGN(const log::TopicInfo topic, log.topic(name));
              std::string body;
              JsonWriter json(body);
              PENSTOCK_TRY(write_topic(json, log, topic));
              return json_reply(std::move(body));
            });
}

Reply ConsoleApi::list_stores() const {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("stores").begin_array();
  for (const store::StoreDescription& store : backends_.queries->stores()) {
    write_json(json, store);
  }
  json.end_array().end_object();
  return json_reply(std::move(body));
}

void ConsoleApi::read_events(const net::HttpRequest& request, net::Responder responder) {
  Result<Parameters> parameters =
      Parameters::parse(request.query, {"partition", "offset", "limit", "value"});
  if (!parameters) {
    send(responder, failure_reply(parameters.error(), "unknown_topic"));
    return;
  }
  on_worker(std::move(responder),
            [&log = backends_.log, events_max = options_.events_max,
             topic = request.path_parameters.front(),
             given = *std::move(parameters)](EventReader& reader) -> Result<Reply> {
              PENSTOCK_TRY_ASSIGN(const EventQuery query,
                                  parse_event_request(log, topic, given, events_max));
              PENSTOCK_TRY_ASSIGN(EventPage page, reader.read(query));
              const std::string next = next_offset_text(given, query, page);
              return Reply{.content_type = "application/x-ndjson",
                           .body = std::move(page.lines),
                           .extra_headers = "Penstock-Next-Offset: " + next + "\r\n"};
            });
}

void ConsoleApi::count_dead_letters(const net::HttpRequest& request, net::Responder responder) {
  ask_dead_letters(std::move(responder),
                   parse_dead_letter_query(request.query, options_.dead_letter_replays_max),
                   dead_letter_stats);
}

void ConsoleApi::list_dead_letters(const net::HttpRequest& request, net::Responder responder) {
  ask_dead_letters(std::move(responder),
                   parse_dead_letter_page(request.path_parameters.front(), request.query,
                                          options_.dead_letter_replays_max),
                   dead_letter_page);
}

// `answer` gives the JSON for the query, on the worker's thread.
template <typename Query, typename Answer>
void ConsoleApi::ask_dead_letters(net::Responder responder, Result<Query> query, Answer answer) {
  if (!query) {
    send(responder, failure_reply(query.error(), "unknown_topic"));
    return;
  }
  on_worker(std::move(responder),
            [&log = backends_.log, query = *std::move(query),
             answer](EventReader& reader) -> Result<Reply> {
              PENSTOCK_TRY_ASSIGN(std::string body, answer(log, reader, query));
              return json_reply(std::move(body));
            });
}

// Answers with what `make_reply` gives, run on the worker's thread.
template <typename MakeReply>
void ConsoleApi::on_worker(net::Responder responder, MakeReply make_reply) {
  std::optional<ReplyTicket> ticket = replies_.hold(std::move(responder));
  if (!ticket) {
    return;
  }
  Worker::Job job = [make = std::move(make_reply),
                     to = *std::move(ticket)](EventReader& reader) mutable {
    Result<Reply> reply = make(reader);
    to.send(reply ? *std::move(reply) : failure_reply(reply.error(), "unknown_topic"));
  };
  static_cast<void>(backends_.worker.submit(std::move(job)));  // refused: the ticket answers 503
}

void ConsoleApi::query_store(const net::HttpRequest& request, net::Responder responder) {
  Result<store::StoreQuery> query = parse_store_query(request);
  if (!query) {
    send(responder, failure_reply(query.error(), "unknown_store"));
    return;
  }
  std::optional<ReplyTicket> ticket = replies_.hold_for(
      options_.query_time_max, std::move(responder),
      error_reply(503, "unavailable",
                  "the stores did not answer in time: the log is away or slow; try again"));
  if (!ticket) {
    return;
  }
  // The stream thread only hands the answer over; to write it is the worker's job.
  backends_.queries->query(*std::move(query), [&worker = backends_.worker, to = *std::move(ticket)](
                                                  Result<store::StoreAnswer> answer) mutable {
    Worker::Job job = [found = std::move(answer), to = std::move(to)](EventReader&) mutable {
      to.send(store_reply(found));
    };
    static_cast<void>(worker.submit(std::move(job)));
  });
}

}  // namespace

void add_routes(net::Router& router, net::EventLoop& loop, const Backends& backends,
                ConsoleOptions options) {
  const Ref<ConsoleApi> api = make_ref<ConsoleApi>(loop, backends, std::move(options));
  const auto add = [&](std::string_view pattern, auto answer) {
    router.add(net::Method::kGet, pattern,
               [api, answer](net::RequestPtr request, net::Responder responder) {
                 send(responder, answer(*api, *request));
               });
  };
  const auto add_slow = [&](std::string_view pattern, auto handler) {
    router.add(net::Method::kGet, pattern,
               [api, handler](net::RequestPtr request, net::Responder responder) {
                 ((*api).*handler)(*request, std::move(responder));
               });
  };
  using Api = const ConsoleApi&;
  using Request = const net::HttpRequest&;
  add("/", [](Api a, Request) { return a.index(); });
  add("/health/live", [](Api a, Request) { return a.live(); });
  add("/health/ready", [](Api a, Request) { return a.ready(); });
  add("/metrics", [](Api a, Request) { return a.metrics_page(); });
  if (api->has(Needs::kTopics)) {
    add_slow("/v1/topics", &ConsoleApi::list_topics);
    add_slow("/v1/topics/{topic}", &ConsoleApi::show_topic);
    add_slow("/v1/topics/{topic}/events", &ConsoleApi::read_events);
    add_slow("/v1/dead-letters", &ConsoleApi::count_dead_letters);
    add_slow("/v1/dead-letters/{topic}", &ConsoleApi::list_dead_letters);
  }
  if (api->has(Needs::kStores)) {
    add("/v1/stores", [](Api a, Request) { return a.list_stores(); });
    add_slow("/v1/stores/{store}", &ConsoleApi::query_store);
    add_slow("/v1/stores/{store}/{key...}", &ConsoleApi::query_store);
  }
}

}  // namespace penstock::console
