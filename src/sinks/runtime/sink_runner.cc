#include "sinks/runtime/sink_runner.h"

#include <algorithm>

#include "core/check.h"
#include "log/partitions.h"
#include "record/dead_letter_view.h"

namespace penstock::sinks {
namespace {

// Dead letters of one transaction: what one batch gives may be more than the log takes at once.
constexpr std::size_t kLetterBytesMax = 1 * kMiB;
constexpr std::size_t kLetterCountMax = 1'000;
constexpr std::size_t kMessageSizeMax = 1'000;

bool is_for_good(ErrorCode code) {
  return code == ErrorCode::kFenced || code == ErrorCode::kCorrupt;
}

std::size_t index_of(PartitionId partition) {
  return static_cast<std::size_t>(partition.value());
}

}  // namespace

SinkRunner::SinkRunner(const Surroundings& surroundings, std::unique_ptr<Destination> destination,
                       Options options)
    : log_(surroundings.log),
      clock_(surroundings.clock),
      logger_(surroundings.logger),
      options_(std::move(options)),
      destination_(std::move(destination)),
      metrics_(surroundings.registry, options_.name, options_.topic),
      backoff_(surroundings.random, options_.backoff),
      breaker_(options_.breaker),
      book_(surroundings.log, surroundings.clock, surroundings.registry,
            {options_.name, options_.topic, options_.dead_letter_retention}) {}

SinkRunner::~SinkRunner() = default;

Result<bool> SinkRunner::run_once() {
  survey();
  Result<bool> stepped = step();
  metrics_.show(breaker_.state());
  if (stepped) {
    return stepped;
  }
  if (is_for_good(stepped.error().code())) {
    is_open_ = false;
    metrics_.up.set(0);
    return stepped.error().with("sink \"" + options_.name + "\"");
  }
  failed(stepped.error());
  return false;
}

Result<bool> SinkRunner::step() {
  if (book_.is_pending()) {
    if (!book_.is_ready()) {
      return false;
    }
    PENSTOCK_TRY(book_.settle());
    for (Counter* const reason : counted_) {
      reason->add(1);
    }
    return true;
  }
  if (clock_.now() < retry_at_) {
    return false;
  }
  if (!is_open_) {
    PENSTOCK_TRY(open());
    return is_open_;
  }
  if (!letters_.empty()) {
    append_letters();
    return true;
  }
  if (!pieces_.empty()) {
    PENSTOCK_TRY(write_piece());
    return true;
  }
  const std::size_t count = batch_.records().size();
  PENSTOCK_TRY(read());
  if (is_due()) {
    begin_writing();
    return true;
  }
  if (!batch_.has_moved() && clock_.now() - asked_at_ >= options_.check_interval) {
    const auto checked = ask([this] { return destination_->check(); });
    PENSTOCK_TRY(checked.value_or(Status()));
  }
  return batch_.records().size() > count;
}

void SinkRunner::wait(std::chrono::microseconds timeout) {
  const os::TimePoint now = clock_.now();
  if (book_.is_pending() || !is_open_ || now < retry_at_) {
    book_.wait(timeout);
    return;
  }
  if (batch_.has_moved()) {
    const auto due = batch_begun_ + options_.batch_time_max - now;
    timeout = std::min(timeout, std::chrono::duration_cast<std::chrono::microseconds>(due));
  }
  consumer_->wait(std::max(timeout, std::chrono::microseconds(0)));
}

// Calls the destination; nothing if the breaker does not let it through now. That a record is
// refused, or that another process has the sink, is no failure of the destination.
template <typename Call>
auto SinkRunner::ask(const Call& call) -> std::optional<decltype(call())> {
  const auto permission = breaker_.try_acquire(clock_.now());
  if (!permission.has_value()) {
    retry_at_ = breaker_.retry_at();
    return std::nullopt;
  }
  const os::TimePoint begun = clock_.now();
  auto result = call();
  asked_at_ = clock_.now();
  const std::optional<ErrorCode> code =
      result ? std::nullopt : std::optional(result.error().code());
  if (code == ErrorCode::kFenced) {
    breaker_.release(*permission);
  } else {
    breaker_.finish(*permission,
                    !code.has_value() || code == ErrorCode::kInvalid
                        ? CircuitBreaker::Outcome::kSuccess
                        : CircuitBreaker::Outcome::kError,
                    asked_at_ - begun, asked_at_);
  }
  return result;
}

// --- open ---------------------------------------------------------------------------------------

Status SinkRunner::open() {
  PENSTOCK_TRY_ASSIGN(const log::TopicInfo topic, log_.topic(options_.topic));
  auto asked = ask([&] { return destination_->open(topic.config.partition_count); });
  if (!asked.has_value()) {
    return {};
  }
  PENSTOCK_TRY_ASSIGN(stored_, *std::move(asked));
  // After the destination: a process that was displaced there must not displace anybody here.
  if (!book_.is_open()) {
    PENSTOCK_TRY(book_.open());
  }
  PENSTOCK_TRY(take_up(topic));
  is_open_ = true;
  metrics_.up.set(1);
  if (!last_failure_.empty()) {
    logger_.info("sink", "reached its destination again", {{"sink", options_.name}});
    last_failure_.clear();
  }
  return {};
}

Status SinkRunner::take_up(const log::TopicInfo& topic) {
  PENSTOCK_CHECK(stored_.size() == static_cast<std::size_t>(topic.config.partition_count));
  topic_ = topic.id;
  std::vector<log::Consumer::Position> positions;
  std::vector<Offset> begins = stored_;
  for (std::size_t i = 0; i < stored_.size(); ++i) {
    const PartitionId partition(static_cast<std::int32_t>(i));
    PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log_.offsets({topic.id, partition}));
    if (stored_[i] > offsets.end) {
      return Error(ErrorCode::kInvalid, "partition " + to_string(partition) + " of topic " +
                                            options_.topic + " is delivered up to offset " +
                                            to_string(stored_[i]) + ", but the log ends before " +
                                            to_string(offsets.end) +
                                            ": the destination belongs to another log");
    }
    book_.forget_before(partition, stored_[i]);
    PENSTOCK_TRY(check_missing(partition, stored_[i]));
    begins[i] = std::max(stored_[i], offsets.start);
    positions.push_back({{topic.id, partition}, begins[i]});
  }
  if (consumer_ == nullptr) {
    PENSTOCK_TRY_ASSIGN(consumer_, log_.open_consumer({.name = "sink-" + options_.name}));
  }
  batch_.clear(std::move(begins));
  return consumer_->assign(std::move(positions));
}

// Retention was faster than the sink: these records are gone, which must be seen.
Status SinkRunner::check_missing(PartitionId partition, Offset position) {
  PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log_.offsets({*topic_, partition}));
  if (offsets.start > position) {
    metrics_.missing.add(static_cast<std::uint64_t>(offsets.start - position));
    logger_.error("sink", "records were deleted from the log before they were delivered",
                  {{"sink", options_.name},
                   {"partition", partition.value()},
                   {"first", position.value()},
                   {"count", offsets.start - position}});
  }
  return {};
}

// --- read ---------------------------------------------------------------------------------------

Status SinkRunner::read() {
  if (batch_.size_bytes() >= options_.batch_size_max) {
    return {};
  }
  PENSTOCK_TRY_ASSIGN(const log::Consumer::Polled polled,
                      consumer_->poll(options_.batch_size_max - batch_.size_bytes()));
  for (const log::FetchedBatch& fetched : polled.batches) {
    PENSTOCK_TRY(take(fetched));
  }
  return {};
}

Status SinkRunner::take(const log::FetchedBatch& fetched) {
  PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                      RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kHeaderOnly));
  const Offset position = batch_.position(fetched.from.partition);
  if (view.base_offset() > position) {
    PENSTOCK_TRY(check_missing(fetched.from.partition, position));
  }
  if (!batch_.has_moved()) {
    batch_begun_ = clock_.now();
  }
  return batch_.add(fetched);
}

bool SinkRunner::is_due() const {
  return batch_.has_moved() && (batch_.records().size() >= options_.batch_rows_max ||
                                batch_.size_bytes() >= options_.batch_size_max ||
                                clock_.now() - batch_begun_ >= options_.batch_time_max);
}

// --- write --------------------------------------------------------------------------------------

void SinkRunner::begin_writing() {
  const std::vector<SinkRecord>& records = batch_.records();
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (book_.contains(records[i].partition, records[i].record.offset)) {
      batch_.skip(i);
    }
  }
  for (Refusal& refusal : destination_->prepare(records)) {
    if (batch_.fates()[refusal.index] == Fate::kWrite) {
      refuse(refusal.index, std::move(refusal.message), metrics_.unreadable);
    }
  }
  std::size_t end = records.size();
  do {
    const std::size_t over = end % options_.batch_rows_max;
    const std::size_t begin = end - std::min(end, over == 0 ? options_.batch_rows_max : over);
    pieces_.emplace_back(begin, end);
    end = begin;
  } while (end > 0);
}

Status SinkRunner::write_piece() {
  const Piece piece = pieces_.back();
  const std::vector<std::size_t> rows = batch_.to_write(piece.first, piece.second);
  if (rows.empty() && pieces_.size() > 1) {  // its positions move with the next one's
    pieces_.pop_back();
    pieces_.back().first = piece.first;
    return {};
  }
  const std::vector<SinkMove> moves = batch_.moves(stored_, piece.second);
  const os::TimePoint begun = clock_.now();
  const auto written = ask([&] {
    return destination_->write(
        {piece.first, piece.second, batch_.records(), batch_.fates(), moves});
  });
  if (!written.has_value()) {
    return {};
  }
  if (!*written) {
    return written->error().code() == ErrorCode::kInvalid ? halve(piece, written->error())
                                                          : *written;
  }
  metrics_.write_seconds.record(asked_at_ - begun);
  piece_is_written(piece, rows.size(), moves);
  return {};
}

void SinkRunner::piece_is_written(const Piece& piece, std::size_t rows,
                                  const std::vector<SinkMove>& moves) {
  PENSTOCK_CHECK(pieces_.back() == piece);
  pieces_.pop_back();
  for (const SinkMove& move : moves) {
    stored_[index_of(move.partition)] = move.to;
    book_.forget_before(move.partition, move.to);
  }
  metrics_.rows.add(rows);
  metrics_.batches.add(1);
  metrics_.batch_rows.set(static_cast<double>(rows));
  backoff_.reset();
  if (pieces_.empty()) {
    batch_.clear(stored_);
  }
}

Status SinkRunner::halve(const Piece& piece, const Error& error) {
  const std::vector<std::size_t> rows = batch_.to_write(piece.first, piece.second);
  if (rows.empty()) {
    return Error(ErrorCode::kRetry, "a write without records was refused: " + error.message());
  }
  if (rows.size() == 1) {
    refuse(rows.front(), error.message(), metrics_.dead_letters);
    return {};
  }
  const std::size_t middle = rows[rows.size() / 2];
  pieces_.back() = {middle, piece.second};
  pieces_.emplace_back(piece.first, middle);
  return {};
}

void SinkRunner::refuse(std::size_t index, std::string message, Counter& reason) {
  const SinkRecord& refused = batch_.records()[index];
  batch_.skip(index);
  message.resize(std::min(message.size(), kMessageSizeMax));
  letters_.push_back({{refused.partition, refused.record.offset, refused.record.value,
                       std::move(message), replays_of(refused.record)},
                      &reason});
}

void SinkRunner::append_letters() {
  std::vector<DeadLetterBook::Letter> now;
  std::size_t bytes = 0;
  std::size_t count = 0;
  counted_.clear();
  for (; count < letters_.size() && count < kLetterCountMax && bytes < kLetterBytesMax; ++count) {
    DeadLetterBook::Letter& letter = letters_[count].letter;
    bytes += letter.value.value_or(ByteView()).size() + letter.message.size();
    now.push_back(std::move(letter));
    counted_.push_back(letters_[count].reason);
  }
  letters_.erase(letters_.begin(), letters_.begin() + static_cast<std::ptrdiff_t>(count));
  book_.append(now);
}

// --- otherwise ----------------------------------------------------------------------------------

void SinkRunner::failed(const Error& error) {
  is_open_ = false;
  pieces_.clear();
  letters_.clear();
  batch_.clear(stored_);
  if (consumer_ != nullptr && !consumer_->assign({})) {
    consumer_.reset();
  }
  retry_at_ = clock_.now() + backoff_.next();
  metrics_.up.set(0);
  metrics_.retries.add(1);
  if (error.message() != last_failure_) {
    last_failure_ = error.message();
    logger_.warn("sink", "cannot deliver at the moment, and tries again",
                 {{"sink", options_.name}, {"because", error.message()}});
  }
}

void SinkRunner::survey() {
  const os::TimePoint now = clock_.now();
  if (!topic_.has_value() ||
      (surveyed_at_.has_value() && now - *surveyed_at_ < options_.survey_interval)) {
    return;
  }
  surveyed_at_ = now;
  const auto bounds =
      log_.bounds(log::partitions_of(*topic_, static_cast<std::int32_t>(stored_.size())));
  if (!bounds) {
    return;  // the figures stay as they were
  }
  std::int64_t end = 0;
  std::int64_t delivered = 0;
  for (std::size_t i = 0; i < stored_.size(); ++i) {
    const log::PartitionBounds& at = (*bounds)[i];
    end += at.end.value();
    delivered += std::clamp(stored_[i], at.start, at.end).value();
  }
  lag_age_.look(now, end, delivered);
  metrics_.lag_records.set(static_cast<double>(end - delivered));
  metrics_.lag_seconds.set(std::chrono::duration<double>(lag_age_.age(now)).count());
}

}  // namespace penstock::sinks
