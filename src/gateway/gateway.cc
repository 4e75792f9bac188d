#include "gateway/gateway.h"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "core/memory_budget.h"
#include "core/ref_counted.h"
#include "gateway/id_hash.h"
#include "gateway/ingest.h"
#include "gateway/letter_reader.h"
#include "gateway/purge_route.h"
#include "gateway/replay_route.h"
#include "gateway/slow_work.h"
#include "gateway/topic_catalog.h"
#include "gateway/topic_maker.h"
#include "gateway/window_rebuild.h"
#include "net/http_server.h"
#include "os/random.h"
#include "record/dead_letter.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"

namespace penstock::gateway {

namespace {

constexpr std::string_view kIdempotencyHeader = "Idempotency-Key";
constexpr std::string_view kRequestKeysTopic = "__idempotency_keys";
constexpr std::size_t kRequestKeySizeMax = 256;
// Replays that are known not to be done again: the newest, for some 56 bytes each.
constexpr std::size_t kReplayedCountMax = 1'000'000;

std::array<std::byte, 16> random_key() {
  std::array<std::byte, 16> key{};
  store_le(key.data(), os::random_seed());
  store_le(key.data() + 8, os::random_seed());
  return key;
}

// Reads the headers that change how a request is taken.
Status read_headers(IngestRequest& request) {
  for (const std::string_view name : {kIdempotencyHeader, kReplayRequestHeader}) {
    if (request.http->header_count(name) > 1) {
      return Error(ErrorCode::kInvalid, std::string(name) + " is given more than once");
    }
  }
  request.idempotency_key = request.http->header(kIdempotencyHeader);
  if (request.idempotency_key.has_value() &&
      (request.idempotency_key->empty() || request.idempotency_key->size() > kRequestKeySizeMax)) {
    return Error(ErrorCode::kInvalid, "Idempotency-Key must have 1 to " +
                                          std::to_string(kRequestKeySizeMax) + " characters");
  }
  if (const auto replays = request.http->header(kReplayRequestHeader)) {
    const auto [end, error] =
        std::from_chars(replays->data(), replays->data() + replays->size(), request.replays);
    if (error != std::errc() || end != replays->data() + replays->size()) {
      return Error(ErrorCode::kInvalid,
                   std::string(kReplayRequestHeader) + " must be a whole number");
    }
  }
  return {};
}

}  // namespace

class Gateway::Impl {
 public:
  Impl(log::Log& log, const os::Clock& clock, telemetry::Registry& metrics,
       telemetry::Logger& logger, GatewayOptions options)
      : options_(std::move(options)),
        log_(log),
        clock_(clock),
        metrics_(metrics),
        logger_(logger),
        hasher_(random_key()),
        memory_(options_.memory_bytes_max),
        request_keys_(options_.idempotency),
        replayed_letters_(replayed_options(options_)),
        topics_(log, options_),
        letters_(log, clock),
        maker_(topics_, slow_work_) {}

  [[nodiscard]] Status open() {
    PENSTOCK_CHECK(options_.log_append_bytes_max >= 2 * options_.append_bytes_max);
    PENSTOCK_TRY(topics_.open());
    log::TopicConfig config;
    config.name = kRequestKeysTopic;
    config.retention_time = options_.idempotency.time_max;
    PENSTOCK_TRY_ASSIGN(const log::TopicInfo info, log_.ensure_topic(config));
    request_keys_topic_ = info.id;
    config.name = kDeadLetterActionsTopic;
    config.retention_time = options_.dead_letter_retention;
    PENSTOCK_TRY_ASSIGN(const log::TopicInfo actions, log_.ensure_topic(config));
    letter_actions_topic_ = actions.id;
    PENSTOCK_TRY(rebuild());
    memory_gauge_ = metrics_.gauge_callback("penstock_ingest_memory_bytes",
                                            "Held for events that wait to become durable.", {},
                                            [this] { return static_cast<double>(memory_.used()); });
    window_gauge_ = metrics_.gauge_callback("penstock_ingest_dedup_memory_bytes",
                                            "Held by the windows of known ids.", {},
                                            [this] { return static_cast<double>(window_bytes()); });
    return {};
  }

  void add_routes(net::Router& router, net::EventLoop& loop) {
    const Ingest::Shared shared{log_,
                                clock_,
                                metrics_,
                                options_,
                                topics_,
                                maker_,
                                memory_,
                                hasher_,
                                request_keys_,
                                request_keys_topic_,
                                replayed_letters_,
                                letter_actions_topic_};
    const auto routes = make_ref<Routes>(
        shared, ReplayRoute::Shared{topics_, slow_work_, letters_, options_.replays_max},
        PurgeRoute::Shared{log_, clock_, topics_, slow_work_, letter_actions_topic_}, loop);
    router.add(net::Method::kPost, "/v1/topics/{topic}/events",
               [routes](net::RequestPtr http, net::Responder responder) {
                 take_events(routes->ingest, std::move(http), std::move(responder));
               });
    router.add(net::Method::kPost, "/v1/dead-letters/{topic}/{offset}/replay",
               [routes](net::RequestPtr http, net::Responder responder) {
                 routes->replays.take(std::move(http), std::move(responder));
               });
    router.add(net::Method::kPost, "/v1/dead-letters/{topic}/purge",
               [routes](net::RequestPtr http, net::Responder responder) {
                 routes->purges.take(std::move(http), std::move(responder));
               });
  }

  [[nodiscard]] SlowWork& slow_work() { return slow_work_; }

 private:
  // Of one loop; the first two bring events into the same appends.
  struct Routes final : RefCounted {
    Routes(const Ingest::Shared& shared, const ReplayRoute::Shared& replay,
           const PurgeRoute::Shared& purge, net::EventLoop& loop)
        : ingest(shared, loop), replays(replay, ingest, loop), purges(purge, loop) {}

    Ingest ingest;
    ReplayRoute replays;
    PurgeRoute purges;
  };

  static void take_events(Ingest& ingest, net::RequestPtr http, net::Responder responder) {
    IngestRequest request{.http = std::move(http)};
    request.topic = request.http->path_parameters[0];
    const Status status = read_headers(request);
    if (!status) {
      responder.send_error(status.error());
      return;
    }
    ingest.take(std::move(request), std::move(responder));
  }

  // Those that were replayed are known as long as they are there.
  static WindowOptions replayed_options(const GatewayOptions& options) {
    constexpr std::chrono::hours kForEver(24 * 3650);
    return {kReplayedCountMax, std::chrono::ceil<std::chrono::seconds>(
                                   options.dead_letter_retention.value_or(kForEver))};
  }

  [[nodiscard]] Status rebuild() {
    const RebuildContext context{
        log_, hasher_,
        std::chrono::floor<std::chrono::seconds>(clock_.wall_now()).time_since_epoch().count()};
    for (Topic* const topic : topics_.all()) {
      if (topic->ids != nullptr) {
        PENSTOCK_TRY_ASSIGN(const std::size_t count, rebuild_ids(context, *topic, topic->dedup));
        logger_.info("gateway", "event ids read back", {{"topic", topic->name}, {"ids", count}});
      }
    }
    PENSTOCK_TRY_ASSIGN(
        const std::size_t count,
        rebuild_request_keys(context, request_keys_topic_, request_keys_, options_.idempotency));
    if (count > 0) {
      logger_.info("gateway", "idempotency keys read back", {{"keys", count}});
    }
    PENSTOCK_TRY_ASSIGN(const std::size_t replays,
                        rebuild_request_keys(context, letter_actions_topic_, replayed_letters_,
                                             replayed_options(options_)));
    if (replays > 0) {
      logger_.info("gateway", "replays of dead letters read back", {{"letters", replays}});
    }
    return {};
  }

  [[nodiscard]] std::size_t window_bytes() {
    std::size_t bytes = request_keys_.with([](DedupWindow& w) { return w.memory_bytes(); }) +
                        replayed_letters_.with([](DedupWindow& w) { return w.memory_bytes(); });
    for (Topic* const topic : topics_.all()) {
      if (topic->ids != nullptr) {
        bytes += topic->ids->with([](DedupWindow& w) { return w.memory_bytes(); });
      }
    }
    return bytes;
  }

  const GatewayOptions options_;
  log::Log& log_;
  const os::Clock& clock_;
  telemetry::Registry& metrics_;
  telemetry::Logger& logger_;
  const IdHasher hasher_;
  MemoryBudget memory_;
  SharedWindow request_keys_;
  SharedWindow replayed_letters_;
  TopicCatalog topics_;
  LetterReader letters_;
  SlowWork slow_work_;
  TopicMaker maker_;
  TopicId request_keys_topic_;
  TopicId letter_actions_topic_;
  telemetry::CallbackGuard memory_gauge_;
  telemetry::CallbackGuard window_gauge_;
};

Result<std::unique_ptr<Gateway>> Gateway::open(log::Log& log, const os::Clock& clock,
                                               telemetry::Registry& metrics,
                                               telemetry::Logger& logger, GatewayOptions options) {
  auto impl = std::make_unique<Impl>(log, clock, metrics, logger, std::move(options));
  PENSTOCK_TRY(impl->open());
  return std::unique_ptr<Gateway>(new Gateway(std::move(impl)));
}

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Gateway::~Gateway() = default;

void Gateway::add_routes(net::Router& router, net::EventLoop& loop) {
  impl_->add_routes(router, loop);
}

Result<bool> Gateway::run_once() {
  return impl_->slow_work().run_once();
}

void Gateway::wait(std::chrono::microseconds timeout) {
  impl_->slow_work().wait(timeout);
}

}  // namespace penstock::gateway
