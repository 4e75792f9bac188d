// Ingest takes the requests of one event loop: events are told apart, checked, their ids claimed,
// and records and dead letters added to the open append.
//
// A request that brings an id which another append has claimed and not yet settled is put aside
// and taken again when that is settled: only then it is known whether the id is a duplicate. So a
// duplicate is never answered before the first one is durable, and no event is lost with an append
// that fails. A request to a topic that may come into being is put aside until that is made.
//
// Invariants
//   I1  All that a request brings is in one append.
// Threads   belongs to its loop's thread.
// Lifetime  the loop and everything in Shared outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/memory_budget.h"
#include "gateway/appender.h"
#include "gateway/gateway.h"
#include "gateway/id_hash.h"
#include "gateway/ingest_metrics.h"
#include "gateway/open_append.h"
#include "gateway/topic_catalog.h"
#include "gateway/topic_maker.h"
#include "net/event_loop.h"
#include "net/http_message.h"
#include "net/http_server.h"
#include "schema/json_scanner.h"

namespace penstock::gateway {

struct IngestRequest {
  // A dead letter that is replayed: once, and with a note of it.
  struct ReplayedLetter {
    Offset offset;
    std::string note;  // JSON, but for the outcome and the closing brace
  };

  net::RequestPtr http;  // its body; the views below point into it
  std::string_view topic;
  std::optional<std::string_view> idempotency_key;
  std::uint32_t replays = 0;  // how often these events have been dead letters before
  std::optional<ReplayedLetter> letter{};

  // What tells the request from others, if anything does: it is taken once.
  [[nodiscard]] bool has_key() const { return idempotency_key.has_value() || letter.has_value(); }

  [[nodiscard]] std::string key() const;
};

class Ingest {
 public:
  // What the loops share.
  struct Shared {
    log::Log& log;
    const os::Clock& clock;
    telemetry::Registry& metrics;
    const GatewayOptions& options;
    TopicCatalog& topics;
    TopicMaker& maker;
    MemoryBudget& memory;  // of what waits to become durable
    const IdHasher& hasher;
    SharedWindow& request_keys;  // Idempotency-Key
    TopicId request_keys_topic;
    SharedWindow& replayed_letters;
    TopicId letter_actions_topic;
  };

  Ingest(const Shared& shared, net::EventLoop& loop);
  ~Ingest();
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  void take(IngestRequest request, net::Responder responder);

 private:
  // A topic as this loop fills it.
  struct LoopTopic {
    LoopTopic(Topic& shared_topic, telemetry::Registry& registry);

    Topic& topic;
    TopicMetrics metrics;
    std::vector<OpenBatch> partitions;
    OpenBatch dead_letters;
    std::size_t keyless_partition = 0;  // where events without key go,
    std::size_t keyless_bytes = 0;      // and how much has gone there in a row
  };

  enum class TimeSource : std::uint8_t { kEvent, kMissing, kUnreadable, kAhead };

  // One event between scanning and adding, where ids have to be claimed in between.
  struct Scanned {
    JsonPiece piece;  // without its values
    JsonValue key;
    std::optional<IdHash> id;
    Timestamp timestamp;
    TimeSource time_source = TimeSource::kEvent;
    bool duplicate = false;
  };

  // What is known about a request while it is being taken.
  struct Taking {
    IngestRequest& request;
    LoopTopic& topic;
    Timestamp arrival;
    Timestamp latest;    // an event time behind it is not believed
    bool alone = false;  // in the open append: it may be dropped
    Outcome outcome{};
    std::size_t added_count = 0;
    bool depends_on_append = false;  // brings records, or duplicates of the open append's
  };

  enum class Claimed { kYes, kRequestIsDuplicate, kMustWait };
  enum class Taken { kYes, kMustWait, kTooMuch };

  struct PutAside {
    IngestRequest request;
    net::Responder responder;
  };

  [[nodiscard]] Result<LoopTopic*> find_topic(std::string_view name);
  void reject(net::Responder& responder, int status, std::string_view code,
              std::string_view message);
  void reject(net::Responder& responder, const Error& error);

  [[nodiscard]] Taken take_pieces(Taking& taking);
  [[nodiscard]] bool scan(Taking& taking);
  [[nodiscard]] Claimed claim(Taking& taking);
  // The keys that are known of requests of this kind.
  [[nodiscard]] SharedWindow& keys_of(const IngestRequest& request) const;
  [[nodiscard]] DedupWindow::Claim claim_request_key(SharedWindow& keys, const IdHash& key,
                                                     Timestamp arrival);
  [[nodiscard]] bool claim_ids(Taking& taking);
  void give_up_ids(DedupWindow& window, DedupWindow::AppendId append, std::size_t count);
  [[nodiscard]] DedupWindow::Waiter make_waiter();
  void take_again(std::uint64_t id);
  void make_topic(IngestRequest request, net::Responder responder);
  void on_topic_made(std::uint64_t id, const Status& made);

  [[nodiscard]] bool fits(const Taking& taking);
  [[nodiscard]] bool add_scanned(Taking& taking);
  [[nodiscard]] bool add_pieces(Taking& taking);
  [[nodiscard]] static Timestamp timestamp_of(const Taking& taking, const JsonPiece& piece,
                                              TimeSource& source);
  void add(Taking& taking, const JsonPiece& piece, const JsonValue& key, Timestamp timestamp,
           TimeSource source);
  [[nodiscard]] OpenBatch& keyless_batch(LoopTopic& topic, std::size_t event_size);
  void add_dead_letter(Taking& taking, std::string_view raw, DeadLetterReason reason,
                       std::string_view message);
  void add_request_key(Taking& taking);
  void add_record(Taking& taking, OpenBatch& batch, Timestamp timestamp,
                  std::optional<std::string_view> key, std::string_view event);
  void count_as_duplicates(Taking& taking);

  const Shared shared_;
  net::EventLoop& loop_;
  Appender appender_;
  telemetry::LatencyHistogram& receive_stage_;
  telemetry::LatencyHistogram& parse_stage_;
  RequestMetrics requests_;
  JsonScanner scanner_;
  std::unordered_map<std::string, std::unique_ptr<LoopTopic>> topics_;
  OpenBatch request_keys_;
  OpenBatch letter_actions_;

  std::map<std::uint64_t, PutAside> put_aside_;
  std::uint64_t next_put_aside_ = 1;

  std::vector<Scanned> scanned_;
  std::string name_scratch_;
  std::string key_scratch_;
};

}  // namespace penstock::gateway
