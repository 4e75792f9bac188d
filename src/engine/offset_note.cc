#include "engine/offset_note.h"

#include <algorithm>
#include <charconv>

namespace penstock::engine {

std::string format_offset_note(const OffsetNote& note) {
  std::string text = "t=" + to_string(note.stream_time);
  for (const auto& [name, metadata] : note.stores) {
    text.append(";").append(name).append(":").append(metadata);
  }
  return text;
}

Result<OffsetNote> parse_offset_note(std::string_view text) {
  OffsetNote note;
  const Error malformed(ErrorCode::kInvalid, "\"" + std::string(text) +
                                                 "\" is no note of a Penstock job; was the "
                                                 "offset committed by another program?");
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view field = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), field.size() + 1));
    if (field.starts_with("t=")) {
      std::int64_t number = 0;
      const char* end = field.data() + field.size();
      const auto parsed = std::from_chars(field.data() + 2, end, number);
      if (parsed.ec != std::errc() || parsed.ptr != end) {
        return malformed;
      }
      note.stream_time = Timestamp(number);
      continue;
    }
    const std::size_t colon = field.find(':');
    if (colon == 0 || colon == std::string_view::npos) {
      return malformed;
    }
    note.stores.emplace(field.substr(0, colon), field.substr(colon + 1));
  }
  return note;
}

}  // namespace penstock::engine
