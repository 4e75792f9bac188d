// OffsetNote is the text that is committed with a consumed offset: what a restart needs to go on.
//
//   t=<stream time of the partition>;<store>:<metadata of the store>;...
//
// A task's stores are noted with the first of its source partitions. Kafka Streams keeps the
// partition time in the same place, in a binary form of its own.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "record/types.h"
#include "store/window.h"

namespace penstock::engine {

struct OffsetNote {
  Timestamp stream_time = store::kNoStreamTime;
  std::map<std::string, std::string, std::less<>> stores;  // metadata by name

  friend bool operator==(const OffsetNote&, const OffsetNote&) = default;
};

[[nodiscard]] std::string format_offset_note(const OffsetNote& note);
// kInvalid if it is not what format_offset_note() writes. The empty text is an empty note.
[[nodiscard]] Result<OffsetNote> parse_offset_note(std::string_view text);

}  // namespace penstock::engine
