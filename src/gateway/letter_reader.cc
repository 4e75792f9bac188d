#include "gateway/letter_reader.h"

#include <chrono>
#include <optional>

#include "core/units.h"
#include "record/dead_letter_view.h"
#include "record/record_batch.h"

namespace penstock::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPollBytes = 64 * kKiB;
constexpr auto kPollWait = 50ms;
constexpr auto kReadTimeMax = 5s;

// Absent: the batch has it not. `next`: what comes behind the batch.
Result<std::optional<StoredLetter>> find(ByteView bytes, Offset offset, Offset& next) {
  PENSTOCK_TRY_ASSIGN(const RecordBatchView batch,
                      RecordBatchView::parse(bytes, RecordBatchView::Verify::kHeaderOnly));
  next = batch.last_offset() + 1;
  RecordReader reader(batch);
  for (RecordView record; !batch.is_control() && reader.next(record);) {
    if (record.offset == offset) {
      const DeadLetterView letter = read_dead_letter(record);
      return std::optional(StoredLetter{std::string(as_text(letter.event)),
                                        std::string(letter.source), std::string(letter.code),
                                        letter.replays});
    }
  }
  PENSTOCK_TRY(reader.status());
  return std::optional<StoredLetter>();
}

}  // namespace

Result<StoredLetter> LetterReader::read(TopicPartition letters, Offset offset) {
  const Error none(ErrorCode::kNotFound,
                   "there is no dead letter with offset " + to_string(offset) + " any more");
  PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets known, log_.offsets(letters));
  if (offset < known.start || offset >= known.end) {
    return none;
  }
  if (consumer_ == nullptr) {
    PENSTOCK_TRY_ASSIGN(consumer_, log_.open_consumer({.name = "dead-letter-replay"}));
  }
  PENSTOCK_TRY(consumer_->assign({{letters, offset}}));
  const os::TimePoint deadline = clock_.now() + kReadTimeMax;
  for (Offset next = offset; next <= offset;) {
    PENSTOCK_TRY_ASSIGN(const log::Consumer::Polled polled, consumer_->poll(kPollBytes));
    for (const log::FetchedBatch& fetched : polled.batches) {
      PENSTOCK_TRY_ASSIGN(auto found, find(fetched.bytes, offset, next));
      if (found.has_value()) {
        PENSTOCK_TRY(consumer_->assign({}));  // lets go of the log's memory
        return *std::move(found);
      }
    }
    if (polled.batches.empty()) {
      if (clock_.now() >= deadline) {
        return Error(ErrorCode::kRetry, "the log does not give the dead letter in time");
      }
      consumer_->wait(kPollWait);
    }
  }
  PENSTOCK_TRY(consumer_->assign({}));
  return none;
}

}  // namespace penstock::gateway
