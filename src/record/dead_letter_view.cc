#include "record/dead_letter_view.h"

#include <charconv>

#include "core/rfc3339.h"
#include "record/dead_letter.h"

namespace penstock {
namespace {

std::uint32_t number(std::string_view text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string_view text_of(const HeaderView& header) {
  return header.value ? as_text(*header.value) : std::string_view();
}

}  // namespace

DeadLetterView read_dead_letter(const RecordView& record) {
  DeadLetterView letter;
  letter.offset = record.offset;
  letter.time = record.timestamp;
  letter.event = record.value.value_or(ByteView());
  HeaderReader reader(record);
  for (HeaderView header; reader.next(header);) {
    const std::string_view text = text_of(header);
    if (header.key == dead_letter::kCode) {
      letter.code = text;
    } else if (header.key == dead_letter::kMessage) {
      letter.message = text;
    } else if (header.key == dead_letter::kSource) {
      letter.source = text;
    } else if (header.key == dead_letter::kTopic) {
      letter.topic = text;
    } else if (header.key == dead_letter::kSink) {
      letter.sink = text;
    } else if (header.key == dead_letter::kReplays) {
      letter.replays = number(text);
    } else if (header.key == dead_letter::kTime) {
      letter.time = Timestamp(parse_rfc3339(text).value_or(record.timestamp.value()));
    }
  }
  return letter;
}

std::uint32_t replays_of(const RecordView& record) {
  const auto header = find_header(record, dead_letter::kReplays);
  return header ? number(as_text(*header)) : 0;
}

bool DeadLetterFilter::matches(const DeadLetterView& letter) const {
  if ((!code.empty() && letter.code != code) || (!sink.empty() && letter.sink != sink) ||
      (since && letter.time < *since) || (until && letter.time >= *until)) {
    return false;
  }
  return quarantine == Quarantine::kAny ||
         (letter.replays >= replays_max) == (quarantine == Quarantine::kInside);
}

}  // namespace penstock
