#include "store/store_metadata.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace penstock::store {

namespace {

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

// One `name=number`; false if it is malformed.
bool parse_field(std::string_view field, StoreMetadata& metadata) {
  const std::size_t equals = field.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    return false;
  }
  const auto number = parse_number<std::int64_t>(field.substr(equals + 1));
  if (!number.has_value()) {
    return false;
  }
  const std::string_view name = field.substr(0, equals);
  if (name == "d") {
    metadata.definition = static_cast<std::uint32_t>(*number);
  } else if (name == "t") {
    metadata.stream_time = Timestamp(*number);
  } else if (name == "x") {
    metadata.dropped_before = Timestamp(*number);
  } else if (name == "c") {
    metadata.changes_from = Offset(*number);
  } else if (name == "n") {
    metadata.last_number = static_cast<std::uint32_t>(*number);
  } else if (name == "i") {
    metadata.state_id = static_cast<std::uint32_t>(*number);
  } else if (name == "g") {
    metadata.commit_count = static_cast<std::uint64_t>(*number);
  } else if (name[0] == 'p') {
    const auto partition = parse_number<std::int32_t>(name.substr(1));
    if (!partition.has_value()) {
      return false;
    }
    metadata.complete[PartitionId(*partition)] = Offset(*number);
  }
  return true;
}

}  // namespace

Result<StoreMetadata> parse_store_metadata(std::string_view text, std::string_view store,
                                           std::uint32_t definition) {
  StoreMetadata metadata;
  const std::string quoted = "store \"" + std::string(store) + "\"";
  if (!text.starts_with("d=")) {
    return Error(ErrorCode::kInvalid, quoted + ": its metadata is missing or cut short");
  }
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view field = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), field.size() + 1));
    if (!parse_field(field, metadata)) {
      return Error(ErrorCode::kInvalid,
                   quoted + ": \"" + std::string(text) + "\" is no metadata of a store");
    }
  }
  if (metadata.definition != definition) {
    return Error(ErrorCode::kInvalid,
                 quoted +
                     " has state from another definition of its job; give the job a new "
                     "name, or change it back");
  }
  return metadata;
}

std::string format_store_metadata(const StoreMetadata& metadata) {
  std::string text =
      "d=" + std::to_string(metadata.definition) + ",t=" + to_string(metadata.stream_time) +
      ",x=" + to_string(metadata.dropped_before) + ",c=" + to_string(metadata.changes_from);
  if (metadata.last_number != 0) {
    text += ",n=" + std::to_string(metadata.last_number);
  }
  if (metadata.state_id != 0) {
    text +=
        ",i=" + std::to_string(metadata.state_id) + ",g=" + std::to_string(metadata.commit_count);
  }
  for (const auto& [partition, offset] : metadata.complete) {
    text += ",p" + to_string(partition) + "=" + to_string(offset);
  }
  return text;
}

}  // namespace penstock::store
