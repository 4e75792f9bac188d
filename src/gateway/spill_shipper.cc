#include "gateway/spill_shipper.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace penstock::gateway {

using Mode = AppendRoute::Mode;
using Outcome = CircuitBreaker::Outcome;

namespace {

bool is_in(const SpillProgress::Places& places, const SpillProgress::Places::value_type& entry) {
  const auto found = places.find(entry.first);
  return found != places.end() && found->second == entry.second;
}

}  // namespace

SpillShipper::SpillShipper(log::Log& log, SpillStore& store, AppendRoute& route,
                           const os::Clock& clock, telemetry::Logger& logger,
                           const Options& options)
    : log_(log),
      store_(store),
      route_(route),
      clock_(clock),
      logger_(logger),
      options_(options),
      progress_(store.gateway_id()),
      retry_wait_(options.retry_wait_min) {}

SpillShipper::~SpillShipper() = default;

Result<bool> SpillShipper::run_once() {
  route_.check_direct();
  if (transaction_.has_value()) {
    if (!transaction_->committed.ready()) {
      return false;
    }
    settle();
    return true;
  }
  if (clock_.now() < retry_at_) {
    return false;
  }
  return ready_ ? watch() : ship_left_over();
}

// --- what an earlier process left -------------------------------------------------------------

Result<bool> SpillShipper::ship_left_over() {
  if (producer_ == nullptr) {
    const os::TimePoint begun = clock_.now();
    if (const Status connected = connect(); !connected) {
      return retry_later(connected.error(), std::nullopt, begun);
    }
  }
  if (!left_over_.has_value()) {
    PENSTOCK_TRY(list_left_over());
  }
  if (left_over_->empty()) {
    PENSTOCK_TRY_ASSIGN(auto first, store_.open(number_ + 1));
    begin_generation(std::move(first));
    ready_ = true;
    return true;
  }
  if (generation_ == nullptr) {
    number_ = left_over_->front();
    PENSTOCK_TRY_ASSIGN(generation_, store_.open(number_));
  }
  const auto shipped = is_shipped();
  if (!shipped) {
    return retry_later(shipped.error(), std::nullopt, clock_.now());
  }
  if (!*shipped) {
    return ship(std::nullopt);
  }
  PENSTOCK_TRY(remove_generation());
  left_over_->erase(left_over_->begin());
  return true;
}

Status SpillShipper::list_left_over() {
  PENSTOCK_TRY_ASSIGN(left_over_, store_.generations());
  for (const auto& [key, place] : *places_) {
    number_ = std::max(number_, place.generation);
  }
  if (!left_over_->empty()) {
    number_ = std::max(number_, left_over_->back());
    logger_.info("spill", "shipping what an earlier process has left, if anything",
                 {{"generations", left_over_->size()}});
  }
  return {};
}

Status SpillShipper::remove_generation() {
  forget_lanes();
  generation_.reset();
  return store_.remove(number_);
}

void SpillShipper::begin_generation(std::unique_ptr<SpillGeneration> next) {
  ++number_;
  generation_ = std::move(next);
  if (const Status prepared = route_.use_spill(&generation_->log()); !prepared) {
    // Topics come into being with their first append, then.
    logger_.warn("spill", prepared.error().message());
  }
}

// --- while there is work ----------------------------------------------------------------------

Result<bool> SpillShipper::watch() {
  const Mode mode = route_.mode();
  if (mode == Mode::kDirect || route_.direct_count() > 0) {
    return false;  // I1
  }
  if (producer_ != nullptr) {
    return ship_spill(mode);
  }
  const auto permission = route_.try_acquire();
  if (!permission.has_value()) {
    return false;
  }
  const os::TimePoint begun = clock_.now();
  const Status connected = connect();
  if (!connected) {
    return retry_later(connected.error(), permission, begun);
  }
  route_.finish(*permission, Outcome::kSuccess, clock_.now() - begun);
  return true;
}

Result<bool> SpillShipper::ship_spill(Mode mode) {
  if (mode == Mode::kHold && !route_.is_spill_idle()) {
    return false;
  }
  const auto shipped = is_shipped();
  if (!shipped) {
    return retry_later(shipped.error(), std::nullopt, clock_.now());
  }
  const AppendRoute::View view = route_.view();
  const bool closed = view.breaker == CircuitBreaker::State::kClosed;
  if (mode == Mode::kHold && *shipped && closed) {
    auto old = std::exchange(generation_, nullptr);
    forget_lanes();
    begin_generation(std::move(next_));
    route_.resume(Mode::kDirect);
    old.reset();
    logger_.info("spill", "everything is shipped: events go to the log again");
    PENSTOCK_TRY(store_.remove(number_ - 1));
    return true;
  }
  if (mode == Mode::kSpill && closed && view.waiting_bytes <= options_.transaction_bytes_max) {
    if (next_ == nullptr) {
      PENSTOCK_TRY_ASSIGN(next_, store_.open(number_ + 1));
    }
    route_.hold();
    return true;
  }
  const auto permission = route_.try_acquire();
  if (!permission.has_value()) {
    if (mode == Mode::kHold) {
      route_.resume(Mode::kSpill);
    }
    return false;
  }
  return ship(permission);
}

// --- transactions -----------------------------------------------------------------------------

// Settles what a producer before this one has begun, and learns how far it got.
Status SpillShipper::connect() {
  PENSTOCK_TRY_ASSIGN(producer_, log_.open_transactional_producer(
                                     "penstock-spill-" + std::string(store_.gateway_id())));
  auto read = progress_.read(log_);
  if (!read) {
    producer_.reset();
    return std::move(read).error();
  }
  if (places_.has_value()) {
    PENSTOCK_TRY(check_progress(*read));
  }
  places_ = std::move(*read);
  if (!unsure_.empty() && is_in(*places_, *unsure_.begin())) {
    count_as_shipped(unsure_bytes_);  // it was committed, only its answer was lost
  }
  unsure_.clear();
  return {};
}

Status SpillShipper::check_progress(const SpillProgress::Places& read) const {
  const bool all_known = std::all_of(read.begin(), read.end(), [&](const auto& entry) {
    return is_in(*places_, entry) || is_in(unsure_, entry);
  });
  const bool none_lost = std::all_of(places_->begin(), places_->end(),
                                     [&](const auto& entry) { return read.contains(entry.first); });
  if (!all_known || !none_lost) {
    return Error(ErrorCode::kCorrupt, "another process ships events under the gateway id " +
                                          std::string(store_.gateway_id()) +
                                          ": is its data directory a copy of this one?");
  }
  return {};
}

Status SpillShipper::load_lanes() {
  const std::vector<log::TopicInfo> topics = generation_->log().topics();
  std::vector<log::Consumer::Position> positions;
  lanes_.clear();
  for (const log::TopicInfo& topic : topics) {
    const auto target = log_.topic(topic.config.name);
    if (!target) {
      return target.error().with("the spill has events for it");
    }
    for (std::int32_t i = 0; i < topic.config.partition_count; ++i) {
      const PartitionId partition(i);
      const TopicPartition from{topic.id, partition};
      Lane lane{{target->id, partition}, progress_.key(topic.config.name, partition), Offset(0)};
      const auto place = places_->find(lane.key);
      if (place != places_->end() && place->second.generation == number_) {
        lane.next = place->second.next;
      } else if (place != places_->end() && place->second.generation > number_) {
        PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets all, generation_->log().offsets(from));
        lane.next = all.end;
      }
      positions.push_back({from, lane.next});
      lanes_.emplace(from, std::move(lane));
    }
  }
  PENSTOCK_TRY_ASSIGN(consumer_, generation_->log().open_consumer({.name = "spill-shipper"}));
  PENSTOCK_TRY(consumer_->assign(std::move(positions)));
  topic_count_ = topics.size();
  return {};
}

void SpillShipper::forget_lanes() {
  consumer_.reset();
  lanes_.clear();
  topic_count_ = 0;
}

Result<bool> SpillShipper::is_shipped() {
  if (consumer_ == nullptr || generation_->log().topics().size() != topic_count_) {
    PENSTOCK_TRY(load_lanes());
  }
  for (const auto& [from, lane] : lanes_) {
    PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, generation_->log().offsets(from));
    if (lane.next < offsets.end) {
      return false;
    }
  }
  return true;
}

Result<bool> SpillShipper::ship(std::optional<CircuitBreaker::Permission> permission) {
  PENSTOCK_TRY_ASSIGN(const log::Consumer::Polled polled,
                      consumer_->poll(options_.transaction_bytes_max));
  auto [committed, source] = make_completion<void>();
  Transaction transaction{std::move(committed), permission, clock_.now()};
  if (const Status filled = fill(polled, transaction); !filled) {
    return retry_later(filled.error(), permission, transaction.begun);
  }
  transaction_ = std::move(transaction);
  producer_->commit([answer = std::move(source), signal = signal_](Status status) mutable {
    answer.set(std::move(status));
    signal->raise();
  });
  return true;
}

Status SpillShipper::fill(const log::Consumer::Polled& polled, Transaction& transaction) {
  PENSTOCK_TRY(producer_->begin());
  for (const log::FetchedBatch& fetched : polled.batches) {
    const auto batch = RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kHeaderOnly);
    PENSTOCK_CHECK(batch.has_value());  // our own log gave it
    const auto lane = lanes_.find(fetched.from);
    PENSTOCK_CHECK(lane != lanes_.end());
    PENSTOCK_TRY(producer_->append(lane->second.to, RecordBatch{Buffer(batch->bytes())}));
    transaction.places[lane->second.key] = {number_, batch->last_offset() + 1};
    transaction.bytes += batch->size_bytes();
    ++transaction.batches;
  }
  const Timestamp now(clock_.wall_now().time_since_epoch().count());
  return producer_->append(progress_.partition(), progress_.encode(transaction.places, now));
}

void SpillShipper::count_as_shipped(std::uint64_t bytes) {
  counts_.bytes.add(bytes);
  if (ready_) {  // what is left over was spilled by an earlier process
    route_.shipped(bytes);
  }
}

void SpillShipper::settle() {
  Transaction transaction = *std::exchange(transaction_, std::nullopt);
  if (const Status result = transaction.committed.take(); !result) {
    unsure_ = std::move(transaction.places);
    unsure_bytes_ = transaction.bytes;
    fail(result.error(), transaction.permission, transaction.begun);
    return;
  }
  counts_.batches.add(transaction.batches);
  for (auto& [from, lane] : lanes_) {
    if (const auto place = transaction.places.find(lane.key); place != transaction.places.end()) {
      lane.next = place->second.next;
    }
  }
  for (auto& [key, place] : transaction.places) {
    (*places_)[key] = place;
  }
  count_as_shipped(transaction.bytes);
  if (transaction.permission.has_value()) {
    route_.finish(*transaction.permission, Outcome::kSuccess, clock_.now() - transaction.begun);
  }
  retry_wait_ = options_.retry_wait_min;
  last_failure_.clear();
}

Result<bool> SpillShipper::retry_later(const Error& error,
                                       std::optional<CircuitBreaker::Permission> permission,
                                       os::TimePoint begun) {
  if (error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kNotFound) {
    return error;
  }
  fail(error, permission, begun);
  return false;
}

// Whatever it was: opening the producer again and reading the progress back is right after it.
void SpillShipper::fail(const Error& error, std::optional<CircuitBreaker::Permission> permission,
                        os::TimePoint begun) {
  counts_.failures.add(1);
  if (last_failure_ != error.message()) {
    logger_.warn("spill", "the log cannot be reached", {{"because", error.message()}});
  }
  last_failure_ = error.message();
  producer_.reset();
  forget_lanes();
  retry_at_ = clock_.now() + retry_wait_;
  retry_wait_ = std::min(2 * retry_wait_, options_.retry_wait_max);
  if (permission.has_value()) {
    route_.finish(*permission, Outcome::kError, clock_.now() - begun);
  }
  if (route_.mode() == Mode::kHold) {
    route_.resume(Mode::kSpill);
  }
}

}  // namespace penstock::gateway
