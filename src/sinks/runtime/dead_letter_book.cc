#include "sinks/runtime/dead_letter_book.h"

#include <array>
#include <charconv>
#include <utility>

#include "core/check.h"
#include "core/rfc3339.h"
#include "log/read_partition.h"
#include "record/dead_letter.h"

namespace penstock::sinks {
namespace {

std::optional<std::set<Offset>> parse_offsets(std::string_view text) {
  std::set<Offset> offsets;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    std::int64_t offset = 0;
    const auto [after, error] = std::from_chars(at, end, offset);
    if (error != std::errc() || (after != end && *after != ' ')) {
      return std::nullopt;
    }
    offsets.insert(Offset(offset));
    at = after == end ? end : after + 1;
  }
  return offsets;
}

telemetry::Labels stage(const std::string& topic, const char* name) {
  return {{"topic", dead_letter_topic(topic)}, {"stage", name}};
}

Counter& counter(telemetry::Registry& registry, const std::string& topic, const char* name) {
  return registry.counter("penstock_sink_dead_letter_records_total",
                          "Dead letters of sinks by the fate of their transaction: begun, "
                          "committed, taken_back.",
                          stage(topic, name));
}

}  // namespace

DeadLetterBook::DeadLetterBook(log::Log& log, const os::Clock& clock, telemetry::Registry& registry,
                               Options options)
    : log_(log),
      clock_(clock),
      options_(std::move(options)),
      begun_(counter(registry, options_.topic, "begun")),
      committed_(counter(registry, options_.topic, "committed")),
      taken_back_(counter(registry, options_.topic, "taken_back")) {}

DeadLetterBook::~DeadLetterBook() = default;

Status DeadLetterBook::open() {
  PENSTOCK_CHECK(!is_pending());
  PENSTOCK_TRY(ensure_topics());
  PENSTOCK_TRY_ASSIGN(auto producer,
                      log_.open_transactional_producer("penstock-sink-" + options_.sink));
  noted_.clear();
  PENSTOCK_TRY(log::read_partition(log_, notes_, "sink-dead-letters",
                                   [this](const RecordView& record) { return read_note(record); }));
  producer_ = std::move(producer);
  return {};
}

Status DeadLetterBook::ensure_topics() {
  const auto known = log_.topic(dead_letter_topic(options_.topic));
  if (known) {  // the gateway's, with settings of its own
    letters_ = {known->id, PartitionId(0)};
  } else {
    log::TopicConfig letters;
    letters.name = dead_letter_topic(options_.topic);
    letters.retention_time = options_.retention;
    PENSTOCK_TRY_ASSIGN(const log::TopicInfo made, log_.ensure_topic(letters));
    letters_ = {made.id, PartitionId(0)};
  }
  log::TopicConfig notes;
  notes.name = kSinkDeadLettersTopic;
  notes.cleanup = log::CleanupPolicy::kCompact;
  PENSTOCK_TRY_ASSIGN(const log::TopicInfo made, log_.ensure_topic(notes));
  notes_ = {made.id, PartitionId(0)};
  return {};
}

std::string DeadLetterBook::key(PartitionId partition) const {
  return options_.sink + "/" + options_.topic + "/" + to_string(partition);
}

Status DeadLetterBook::read_note(const RecordView& record) {
  const std::string_view text = record.key ? as_text(*record.key) : std::string_view();
  const std::string begin = options_.sink + "/" + options_.topic + "/";
  std::int32_t partition = 0;
  const auto [after, error] =
      text.starts_with(begin)
          ? std::from_chars(text.data() + begin.size(), text.data() + text.size(), partition)
          : std::from_chars_result{nullptr, std::errc::invalid_argument};
  if (error != std::errc() || after != text.data() + text.size()) {
    return {};  // another sink's
  }
  auto offsets = record.value ? parse_offsets(as_text(*record.value)) : std::nullopt;
  if (!offsets.has_value()) {
    return Error(ErrorCode::kCorrupt, "topic " + std::string(kSinkDeadLettersTopic) + ", offset " +
                                          to_string(record.offset) +
                                          ": not a note of dead letters");
  }
  noted_[PartitionId(partition)] = *std::move(offsets);
  return {};
}

bool DeadLetterBook::contains(PartitionId partition, Offset offset) const {
  const auto found = noted_.find(partition);
  return found != noted_.end() && found->second.contains(offset);
}

void DeadLetterBook::forget_before(PartitionId partition, Offset next) {
  if (const auto found = noted_.find(partition); found != noted_.end()) {
    found->second.erase(found->second.begin(), found->second.lower_bound(next));
  }
}

void DeadLetterBook::append(const std::vector<Letter>& letters) {
  PENSTOCK_CHECK(is_open() && !is_pending() && !letters.empty());
  Offsets noted = noted_;
  for (const Letter& letter : letters) {
    noted[letter.partition].insert(letter.offset);
  }
  auto [done, source] = make_completion<void>();
  const Status filled = fill(letters, noted);
  pending_.emplace(Pending{std::move(done), std::move(noted), letters.size()});
  begun_.add(letters.size());
  if (!filled) {
    source.set(filled);
    return;
  }
  producer_->commit([answer = std::move(source), signal = signal_](Status status) mutable {
    answer.set(std::move(status));
    signal->raise();
  });
}

Status DeadLetterBook::fill(const std::vector<Letter>& letters, const Offsets& noted) {
  PENSTOCK_TRY(producer_->begin());
  PENSTOCK_TRY(producer_->append(letters_, encode_letters(letters)));
  return producer_->append(notes_, encode_notes(letters, noted));
}

RecordBatch DeadLetterBook::encode_letters(const std::vector<Letter>& letters) const {
  const std::int64_t now = clock_.wall_now().time_since_epoch().count();
  const std::string time = format_rfc3339(now);
  RecordBatchBuilder builder;
  for (const Letter& letter : letters) {
    const std::string partition = to_string(letter.partition);
    const std::string offset = to_string(letter.offset);
    const std::string replays = std::to_string(letter.replays);
    const std::array headers{
        HeaderView{dead_letter::kCode, as_bytes(dead_letter::kSinkRefused)},
        HeaderView{dead_letter::kMessage, as_bytes(letter.message)},
        HeaderView{dead_letter::kTime, as_bytes(time)},
        HeaderView{dead_letter::kTopic, as_bytes(options_.topic)},
        HeaderView{dead_letter::kReplays, as_bytes(replays)},
        HeaderView{dead_letter::kSink, as_bytes(options_.sink)},
        HeaderView{dead_letter::kPartition, as_bytes(partition)},
        HeaderView{dead_letter::kOffset, as_bytes(offset)},
        HeaderView{dead_letter::kStreamsMessage, as_bytes(letter.message)},
        HeaderView{dead_letter::kStreamsTopic, as_bytes(options_.topic)},
    };
    builder.append(Timestamp(now), std::nullopt, letter.value, headers);
  }
  return builder.finish();
}

RecordBatch DeadLetterBook::encode_notes(const std::vector<Letter>& letters,
                                         const Offsets& noted) const {
  const Timestamp now(clock_.wall_now().time_since_epoch().count());
  std::set<PartitionId> partitions;
  for (const Letter& letter : letters) {
    partitions.insert(letter.partition);
  }
  RecordBatchBuilder builder;
  for (const PartitionId partition : partitions) {
    std::string value;
    for (const Offset offset : noted.at(partition)) {
      value += (value.empty() ? "" : " ") + to_string(offset);
    }
    builder.append(now, as_bytes(key(partition)), as_bytes(value));
  }
  return builder.finish();
}

Status DeadLetterBook::settle() {
  Pending pending = *std::exchange(pending_, std::nullopt);
  Status result = pending.done.take();
  if (!result) {
    taken_back_.add(pending.count);
    producer_.reset();  // opening it again settles what is not known
    return result;
  }
  committed_.add(pending.count);
  noted_ = std::move(pending.offsets);
  return {};
}

}  // namespace penstock::sinks
