#include "store/window_metadata.h"

#include <charconv>

namespace penstock::store {

Result<WindowMetadata> parse_window_metadata(std::string_view text) {
  WindowMetadata metadata;
  bool has_definition = false;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view field = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), field.size() + 1));
    std::int64_t number = 0;
    const char* end = field.data() + field.size();
    const bool has_number = field.size() > 2 && field[1] == '=';
    if (!has_number || std::from_chars(field.data() + 2, end, number).ptr != end) {
      return Error(ErrorCode::kInvalid,
                   "\"" + std::string(text) + "\" is no metadata of a window store");
    }
    if (field[0] == 'd') {
      metadata.definition = static_cast<std::uint32_t>(number);
      has_definition = true;
    } else if (field[0] == 't') {
      metadata.stream_time = Timestamp(number);
    } else if (field[0] == 'x') {
      metadata.dropped_before = Timestamp(number);
    } else if (field[0] == 'c') {
      metadata.changes_from = Offset(number);
    }
  }
  if (!has_definition) {
    return Error(ErrorCode::kInvalid, "the metadata of a window store is missing or cut short");
  }
  return metadata;
}

std::string format_window_metadata(const WindowMetadata& metadata) {
  return "d=" + std::to_string(metadata.definition) + ",t=" + to_string(metadata.stream_time) +
         ",x=" + to_string(metadata.dropped_before) + ",c=" + to_string(metadata.changes_from);
}

}  // namespace penstock::store
