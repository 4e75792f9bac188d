#include "gateway/ingest.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/check.h"
#include "core/rfc3339.h"
#include "record/dead_letter.h"
#include "record/partitioner.h"
#include "schema/timestamp.h"

namespace penstock::gateway {

namespace {

// After so many bytes of events without key the next partition's turn comes.
constexpr std::size_t kKeylessRun = 64 * kKiB;

// Most events of a request. Those of a topic with ids take 120 bytes of scratch memory each.
constexpr std::size_t kEventsMax = 250'000;

// A request with a larger body than shared_body_max() gets an append that is empty when it is
// taken, so that its records can be dropped if they turn out to be too much. A smaller one never
// is, even if every byte of it is a dead letter, as in "[,,,,": those take at most so much each,
// beside two times the name of the topic.
constexpr std::size_t kSharedBodyMax = 66 * kKiB;
constexpr std::size_t kDeadLetterMax = 430;
static_assert(kSharedBodyMax <= kEventsMax);

// The most that records of one append may take, beside its batch headers and request keys.
std::size_t records_max(const GatewayOptions& options) {
  return options.log_append_bytes_max - std::min(kMiB, options.log_append_bytes_max / 8);
}

std::size_t shared_body_max(const GatewayOptions& options, const Topic& topic) {
  const std::size_t room = records_max(options) - options.append_bytes_max;
  return std::min(kSharedBodyMax, room / (kDeadLetterMax + 2 * topic.name.size()));
}

// Scratch memory for more events than this is not kept.
constexpr std::size_t kScannedKept = 16'384;

// Memory is taken for this much per request beside its body.
constexpr std::size_t kRequestOverhead = 1 * kKiB;

constexpr Timestamp kEndOfTime{std::numeric_limits<std::int64_t>::max()};

// How many ids ahead their table slots are fetched.
constexpr std::size_t kPrefetchDistance = 8;

DeadLetterReason to_reason(JsonErrorCode code) {
  switch (code) {
    case JsonErrorCode::kInvalidUtf8:
      return DeadLetterReason::kInvalidUtf8;
    case JsonErrorCode::kTooDeep:
      return DeadLetterReason::kTooDeep;
    case JsonErrorCode::kTooLarge:
      return DeadLetterReason::kTooLarge;
    case JsonErrorCode::kNotAnObject:
      return DeadLetterReason::kNotAnObject;
    case JsonErrorCode::kInvalidJson:
    case JsonErrorCode::kNone:
      return DeadLetterReason::kInvalidJson;
  }
  PENSTOCK_CHECK(false);
  return DeadLetterReason::kInvalidJson;
}

bool is_key(const JsonValue& value) {
  return value.type == JsonType::kString || value.type == JsonType::kNumber ||
         value.type == JsonType::kBool;
}

// {"action":"replay",...,"outcome":"accepted"}
std::string finished_note(const IngestRequest& request, const Outcome& outcome) {
  const std::string_view became = outcome.accepted > 0     ? "accepted"
                                  : outcome.duplicates > 0 ? "duplicate"
                                                           : "dead_letter";
  return request.letter->note + R"(,"outcome":")" + std::string(became) + R"("})";
}

}  // namespace

std::string IngestRequest::key() const {
  return std::string(topic) + "\n" +
         (letter.has_value() ? to_string(letter->offset) : std::string(*idempotency_key));
}

Ingest::LoopTopic::LoopTopic(Topic& shared_topic, telemetry::Registry& registry)
    : topic(shared_topic),
      metrics(registry, shared_topic.name),
      dead_letters{{shared_topic.dead_letters, PartitionId(0)}} {
  for (std::int32_t i = 0; i < topic.partition_count; ++i) {
    partitions.push_back({{topic.id, PartitionId(i)}});
  }
}

Ingest::Ingest(const Shared& shared, net::EventLoop& loop)
    : shared_(shared),
      loop_(loop),
      appender_(shared.log, shared.clock, shared.metrics, shared.options, shared.memory, loop),
      receive_stage_(stage_histogram(shared.metrics, "receive")),
      parse_stage_(stage_histogram(shared.metrics, "parse")),
      requests_(shared.metrics),
      scanner_({.depth_max = shared.options.depth_max,
                .event_bytes_max = shared.options.event_bytes_max}),
      request_keys_{{shared.request_keys_topic, PartitionId(0)}},
      letter_actions_{{shared.letter_actions_topic, PartitionId(0)}} {}

Ingest::~Ingest() = default;

void Ingest::take(IngestRequest request, net::Responder responder) {
  const auto topic = find_topic(request.topic);
  if (!topic && shared_.topics.may_make(request.topic)) {
    make_topic(std::move(request), std::move(responder));
    return;
  }
  if (!topic) {
    reject(responder, topic.error());
    return;
  }
  const net::HttpRequest& http = *request.http;
  switch (scanner_.start(http.body, (*topic)->topic.plan)) {
    case JsonScanner::Body::kEmpty:
      reject(responder, 400, "empty_body", "the body has no events");
      return;
    case JsonScanner::Body::kNotJson:
      reject(responder, 400, "invalid_json", "no event can be told apart in the body");
      return;
    case JsonScanner::Body::kPieces:
      break;
  }
  const bool alone = http.body.size() > shared_body_max(shared_.options, (*topic)->topic);
  if (alone) {
    appender_.send_open();
  }
  const std::size_t reserved = http.body.size() + kRequestOverhead;
  if (!appender_.reserve(reserved)) {
    reject(responder, 429, "overloaded", "too many events wait to become durable: try again");
    return;
  }
  const os::TimePoint begun = shared_.clock.now();
  receive_stage_.record(http.received_at - http.started_at);
  const Timestamp arrival(shared_.clock.wall_now().time_since_epoch().count());
  const auto& ahead_max = shared_.options.timestamp_after_max;
  Taking taking{request, **topic, arrival,
                ahead_max.has_value() ? arrival + ahead_max->count() : kEndOfTime, alone};
  switch (take_pieces(taking)) {
    case Taken::kYes:
      break;
    case Taken::kMustWait:
      appender_.unreserve(reserved);
      put_aside_.emplace(next_put_aside_++, PutAside{std::move(request), std::move(responder)});
      return;
    case Taken::kTooMuch:
      appender_.discard_open();
      reject(responder, 413, "too_many_events",
             "the request has too many events: send fewer at once");
      return;
  }
  const os::TimePoint parsed = shared_.clock.now();
  parse_stage_.record(parsed - begun);
  CountedRequest counted{taking.topic.metrics, std::move(responder), std::move(taking.outcome),
                         http.body.size(),     http.started_at,      parsed};
  if (taking.depends_on_append) {
    appender_.add_request(std::move(counted));
  } else {
    appender_.unreserve(reserved);
    appender_.answer(counted);
  }
}

Result<Ingest::LoopTopic*> Ingest::find_topic(std::string_view name) {
  name_scratch_ = name;
  const auto known = topics_.find(name_scratch_);
  if (known != topics_.end()) {
    return known->second.get();
  }
  PENSTOCK_TRY_ASSIGN(Topic* const topic, shared_.topics.find(name));
  auto& added = topics_[name_scratch_];
  added = std::make_unique<LoopTopic>(*topic, shared_.metrics);
  return added.get();
}

void Ingest::reject(net::Responder& responder, int status, std::string_view code,
                    std::string_view message) {
  (status == 429 ? requests_.overloaded : requests_.rejected).add(1);
  responder.send_error(status, code, message);
}

void Ingest::reject(net::Responder& responder, const Error& error) {
  switch (error.code()) {
    case ErrorCode::kNotFound:
      reject(responder, 404, "unknown_topic", error.message());
      break;
    case ErrorCode::kBusy:
      reject(responder, 429, "overloaded", error.message());
      break;
    case ErrorCode::kInvalid:
      reject(responder, 400, "bad_request", error.message());
      break;
    default:
      requests_.unavailable.add(1);
      responder.send_error(503, "unavailable", error.message());
  }
}

Ingest::Taken Ingest::take_pieces(Taking& taking) {
  const bool has_ids = taking.topic.topic.ids != nullptr;
  const bool has_request_key = taking.request.has_key();
  if (has_ids && !scan(taking)) {
    return Taken::kTooMuch;
  }
  if (has_ids || has_request_key) {
    switch (claim(taking)) {
      case Claimed::kYes:
        break;
      case Claimed::kMustWait:
        return Taken::kMustWait;
      case Claimed::kRequestIsDuplicate:
        count_as_duplicates(taking);
        return Taken::kYes;
    }
  }
  if (!(has_ids ? add_scanned(taking) : add_pieces(taking))) {
    return Taken::kTooMuch;
  }
  if (has_request_key) {
    add_request_key(taking);
  }
  return Taken::kYes;
}

// --- Ids ---------------------------------------------------------------------------------------

// Looks at all pieces before anything is added, so that their ids can be claimed in one go.
// False if there are too many.
bool Ingest::scan(Taking& taking) {
  const Topic& topic = taking.topic.topic;
  scanned_.clear();
  if (scanned_.capacity() > kScannedKept) {
    scanned_.shrink_to_fit();
  }
  JsonPiece piece;
  while (scanner_.next(piece)) {
    Scanned& event = scanned_.emplace_back();
    event.piece = piece;
    if (!piece.ok()) {
      continue;
    }
    event.piece.values = {};
    if (topic.key_slot.has_value()) {
      event.key = piece.values[*topic.key_slot];
    }
    if (!topic.key_required || is_key(event.key)) {  // else it is a dead letter, whatever its id
      if (const auto id = key_text(piece.values[*topic.id_slot], key_scratch_)) {
        event.id = shared_.hasher(as_bytes(*id));
      }
    }
    event.timestamp = timestamp_of(taking, piece, event.time_source);
    if (taking.alone && scanned_.size() > kEventsMax) {
      return false;
    }
  }
  return true;
}

Ingest::Claimed Ingest::claim(Taking& taking) {
  std::optional<IdHash> key;
  SharedWindow& keys = keys_of(taking.request);
  if (taking.request.has_key()) {
    key = shared_.hasher(as_bytes(taking.request.key()));
    switch (claim_request_key(keys, *key, taking.arrival)) {
      case DedupWindow::Claim::kNew:
        break;
      case DedupWindow::Claim::kOwn:
        taking.depends_on_append = true;
        return Claimed::kRequestIsDuplicate;
      case DedupWindow::Claim::kDuplicate:
        return Claimed::kRequestIsDuplicate;
      case DedupWindow::Claim::kPending:
        return Claimed::kMustWait;
    }
  }
  if (taking.topic.topic.ids != nullptr && !claim_ids(taking)) {
    if (key.has_value()) {
      keys.with(
          [&](DedupWindow& window) { window.give_up(*key, appender_.append_id(keys, window)); });
    }
    return Claimed::kMustWait;
  }
  return Claimed::kYes;
}

SharedWindow& Ingest::keys_of(const IngestRequest& request) const {
  return request.letter.has_value() ? shared_.replayed_letters : shared_.request_keys;
}

DedupWindow::Claim Ingest::claim_request_key(SharedWindow& keys, const IdHash& key,
                                             Timestamp arrival) {
  return keys.with([&](DedupWindow& window) {
    const auto append = appender_.append_id(keys, window);
    const auto result = window.claim(key, append, arrival.value() / 1000);
    if (result.claim == DedupWindow::Claim::kPending) {
      window.wait_for(result.holder, make_waiter());
    }
    return result.claim;
  });
}

// False if one of them is pending: then none is claimed, and the request will be taken again.
bool Ingest::claim_ids(Taking& taking) {
  SharedWindow& ids = *taking.topic.topic.ids;
  return ids.with([&](DedupWindow& window) {
    const auto append = appender_.append_id(ids, window);
    for (std::size_t i = 0; i < scanned_.size(); ++i) {
      if (i + kPrefetchDistance < scanned_.size() && scanned_[i + kPrefetchDistance].id) {
        window.prefetch(*scanned_[i + kPrefetchDistance].id);
      }
      Scanned& event = scanned_[i];
      if (!event.id.has_value()) {
        continue;
      }
      const auto result = window.claim(*event.id, append, taking.arrival.value() / 1000);
      if (result.claim == DedupWindow::Claim::kPending) {
        give_up_ids(window, append, i);
        window.wait_for(result.holder, make_waiter());
        return false;
      }
      event.duplicate = result.claim != DedupWindow::Claim::kNew;
      taking.depends_on_append =
          taking.depends_on_append || result.claim == DedupWindow::Claim::kOwn;
    }
    return true;
  });
}

// Undoes the claims of the first `count` scanned events.
void Ingest::give_up_ids(DedupWindow& window, DedupWindow::AppendId append, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (scanned_[i].id.has_value() && !scanned_[i].duplicate) {
      window.give_up(*scanned_[i].id, append);
    }
  }
}

// Will take the request again that take() is about to put aside.
DedupWindow::Waiter Ingest::make_waiter() {
  return [this, id = next_put_aside_] { loop_.post([this, id] { take_again(id); }); };
}

void Ingest::take_again(std::uint64_t id) {
  auto node = put_aside_.extract(id);
  PENSTOCK_CHECK(!node.empty());
  take(std::move(node.mapped().request), std::move(node.mapped().responder));
}

void Ingest::make_topic(IngestRequest request, net::Responder responder) {
  const std::uint64_t id = next_put_aside_;
  const Status wanted = shared_.maker.make(request.topic, [this, id](Status made) {
    loop_.post([this, id, status = std::move(made)] { on_topic_made(id, status); });
  });
  if (!wanted) {
    reject(responder, wanted.error());
    return;
  }
  put_aside_.emplace(next_put_aside_++, PutAside{std::move(request), std::move(responder)});
}

void Ingest::on_topic_made(std::uint64_t id, const Status& made) {
  if (made) {
    take_again(id);
    return;
  }
  auto node = put_aside_.extract(id);
  PENSTOCK_CHECK(!node.empty());
  reject(node.mapped().responder, made.error());
}

// --- Records -----------------------------------------------------------------------------------

// False once the request has more than the log takes at once, or too many events.
bool Ingest::fits(const Taking& taking) {
  return !taking.alone || (appender_.records().bytes() <= records_max(shared_.options) &&
                           taking.added_count <= kEventsMax);
}

bool Ingest::add_scanned(Taking& taking) {
  for (const Scanned& event : scanned_) {
    if (event.duplicate) {
      ++taking.outcome.duplicates;
    } else {
      add(taking, event.piece, event.key, event.timestamp, event.time_source);
      if (!fits(taking)) [[unlikely]] {
        return false;
      }
    }
  }
  return true;
}

bool Ingest::add_pieces(Taking& taking) {
  const JsonValue no_key;
  const Topic& topic = taking.topic.topic;
  JsonPiece piece;
  while (scanner_.next(piece)) {
    TimeSource source = TimeSource::kEvent;
    const bool has_key = piece.ok() && topic.key_slot.has_value();
    const Timestamp timestamp = piece.ok() ? timestamp_of(taking, piece, source) : taking.arrival;
    add(taking, piece, has_key ? piece.values[*topic.key_slot] : no_key, timestamp, source);
    if (!fits(taking)) [[unlikely]] {
      return false;
    }
  }
  return true;
}

Timestamp Ingest::timestamp_of(const Taking& taking, const JsonPiece& piece, TimeSource& source) {
  const Topic& topic = taking.topic.topic;
  if (!topic.timestamp_slot.has_value()) {
    return taking.arrival;
  }
  const JsonValue& value = piece.values[*topic.timestamp_slot];
  if (const Timestamp time = event_time(value); time != kNoTimestamp) [[likely]] {
    if (time > taking.latest) [[unlikely]] {
      source = TimeSource::kAhead;
      return taking.arrival;
    }
    return time;
  }
  source = value.is_missing() ? TimeSource::kMissing : TimeSource::kUnreadable;
  return taking.arrival;
}

void Ingest::add(Taking& taking, const JsonPiece& piece, const JsonValue& key, Timestamp timestamp,
                 TimeSource source) {
  ++taking.added_count;
  if (!piece.ok()) [[unlikely]] {
    add_dead_letter(taking, piece.raw, to_reason(piece.error.code),
                    std::string(piece.error.message) + " (byte " +
                        std::to_string(piece.error.position) + " of the body)");
    return;
  }
  LoopTopic& topic = taking.topic;
  const bool has_key = is_key(key);
  if (!has_key && topic.topic.key_required) [[unlikely]] {
    add_dead_letter(taking, piece.raw, DeadLetterReason::kMissingKey,
                    "the event has no text, number or bool at the topic's key pointer");
    return;
  }
  if (has_key) [[likely]] {
    const ByteView text = as_bytes(string_text(key, key_scratch_));  // others have no escapes
    const PartitionId partition = partition_for_key(text, topic.topic.partition_count);
    OpenBatch& batch = topic.partitions[static_cast<std::size_t>(partition.value())];
    if (taking.request.replays == 0) [[likely]] {
      appender_.records().add(batch, timestamp, text, as_bytes(piece.raw));
    } else {
      add_record(taking, batch, timestamp, as_text(text), piece.raw);
    }
  } else {
    OpenBatch& batch = keyless_batch(topic, piece.raw.size());
    add_record(taking, batch, timestamp, std::nullopt, piece.raw);
  }
  taking.depends_on_append = true;
  ++taking.outcome.accepted;
  taking.outcome.timestamps_missing += source == TimeSource::kMissing ? 1 : 0;
  taking.outcome.timestamps_unreadable += source == TimeSource::kUnreadable ? 1 : 0;
  taking.outcome.timestamps_ahead += source == TimeSource::kAhead ? 1 : 0;
}

// An event that was replayed says so: a sink that refuses it once more counts on.
void Ingest::add_record(Taking& taking, OpenBatch& batch, Timestamp timestamp,
                        std::optional<std::string_view> key, std::string_view event) {
  if (taking.request.replays == 0) {
    appender_.records().add(batch, timestamp, key, event);
    return;
  }
  const std::string replays = std::to_string(taking.request.replays);
  const std::array headers = {HeaderView{dead_letter::kReplays, as_bytes(replays)}};
  appender_.records().add(batch, timestamp, key, event, headers);
}

OpenBatch& Ingest::keyless_batch(LoopTopic& topic, std::size_t event_size) {
  if (topic.keyless_bytes >= kKeylessRun) {
    topic.keyless_bytes = 0;
    topic.keyless_partition = (topic.keyless_partition + 1) % topic.partitions.size();
  }
  topic.keyless_bytes += event_size;
  return topic.partitions[topic.keyless_partition];
}

void Ingest::add_dead_letter(Taking& taking, std::string_view raw, DeadLetterReason reason,
                             std::string_view message) {
  const std::uint64_t index = taking.outcome.event_count();
  taking.outcome.add_dead_letter(reason, index, message, shared_.options.errors_max);
  const std::string index_text = std::to_string(index);
  const std::string time_text = format_rfc3339(taking.arrival.value());
  const std::string replays_text = std::to_string(taking.request.replays);
  const std::string_view topic = taking.topic.topic.name;
  const std::array headers = {
      HeaderView{dead_letter::kCode, as_bytes(to_string(reason))},
      HeaderView{dead_letter::kMessage, as_bytes(message)},
      HeaderView{dead_letter::kIndex, as_bytes(index_text)},
      HeaderView{dead_letter::kTime, as_bytes(time_text)},
      HeaderView{dead_letter::kSource, as_bytes(taking.request.http->remote_address)},
      HeaderView{dead_letter::kTopic, as_bytes(topic)},
      HeaderView{dead_letter::kReplays, as_bytes(replays_text)},
      HeaderView{dead_letter::kStreamsMessage, as_bytes(message)},
      HeaderView{dead_letter::kStreamsTopic, as_bytes(topic)},
  };
  appender_.records().add(taking.topic.dead_letters, taking.arrival, std::nullopt, raw, headers);
  taking.depends_on_append = true;
}

void Ingest::add_request_key(Taking& taking) {
  if (taking.request.letter.has_value()) {
    appender_.records().add(letter_actions_, taking.arrival, taking.request.key(),
                            finished_note(taking.request, taking.outcome));
  } else {
    appender_.records().add(request_keys_, taking.arrival, taking.request.key(), std::nullopt);
  }
  taking.depends_on_append = true;
}

void Ingest::count_as_duplicates(Taking& taking) {
  if (taking.topic.topic.ids != nullptr) {
    taking.outcome.duplicates = scanned_.size();
    return;
  }
  JsonPiece piece;
  while (scanner_.next(piece)) {
    ++taking.outcome.duplicates;
  }
}

}  // namespace penstock::gateway
