#include "console/event_line.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base64.h"
#include "core/json_writer.h"
#include "core/rfc3339.h"
#include "core/utf8.h"
#include "record/internal_headers.h"

namespace penstock::console {

namespace {

// Events were checked against a limit of their own when they came in; this one is beyond all of
// those that make sense.
constexpr std::uint32_t kDepthMax = 1024;

void append_base64_object(std::string& out, ByteView bytes) {
  out += R"({"base64":")";
  append_base64(out, bytes);
  out += "\"}";
}

void append_text_or_base64(std::string& out, ByteView bytes) {
  if (is_utf8(as_text(bytes))) {
    append_json_string(out, as_text(bytes));
    return;
  }
  append_base64_object(out, bytes);
}

void append_optional(std::string& out, const std::optional<ByteView>& bytes) {
  if (bytes) {
    append_text_or_base64(out, *bytes);
  } else {
    out += "null";
  }
}

using HeaderValues = std::vector<std::optional<ByteView>>;

// In the order of their first occurrence.
std::vector<std::pair<std::string_view, HeaderValues>> visible_headers(const RecordView& record) {
  std::vector<std::pair<std::string_view, HeaderValues>> headers;
  HeaderReader reader(record);
  for (HeaderView header; reader.next(header);) {
    if (is_internal_header(header.key)) {
      continue;
    }
    auto found = std::find_if(headers.begin(), headers.end(),
                              [&](const auto& entry) { return entry.first == header.key; });
    if (found == headers.end()) {
      found = headers.insert(headers.end(), {header.key, {}});
    }
    found->second.push_back(header.value);
  }
  return headers;
}

void append_headers(std::string& out, const RecordView& record) {
  out += '{';
  const char* separator = "";
  for (const auto& [name, values] : visible_headers(record)) {
    out += std::exchange(separator, ",");
    // Kafka's header names are text; one that is not can only be shown in part.
    append_json_string(out, is_utf8(name) ? name : "(not UTF-8)");
    out += values.size() > 1 ? ":[" : ":";
    const char* value_separator = "";
    for (const std::optional<ByteView>& value : values) {
      out += std::exchange(value_separator, ",");
      append_optional(out, value);
    }
    out += values.size() > 1 ? "]" : "";
  }
  out += '}';
}

// Copies JSON text; a line break in it is white space between tokens, never part of a string.
void append_on_one_line(std::string& out, std::string_view json) {
  const std::size_t begin = out.size();
  out += json;
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
      [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

}  // namespace

EventLineWriter::EventLineWriter() : scanner_({.depth_max = kDepthMax}) {}

void EventLineWriter::append(std::string& out, PartitionId partition, const RecordView& record,
                             ValueForm form) {
  out += R"({"partition":)" + std::to_string(partition.value());
  out += R"(,"offset":)" + std::to_string(record.offset.value());
  out += R"(,"timestamp":)";
  if (record.timestamp == kNoTimestamp) {
    out += "null";
  } else {
    out += '"';
    append_rfc3339(out, record.timestamp.value());
    out += '"';
  }
  out += R"(,"key":)";
  append_optional(out, record.key);
  out += R"(,"headers":)";
  append_headers(out, record);
  out += R"(,"value":)";
  if (record.value) {
    append_value(out, *record.value, form);
  } else {
    out += "null";
  }
  out += "}\n";
}

void EventLineWriter::append_value(std::string& out, ByteView value, ValueForm form) {
  if (form == ValueForm::kBase64) {
    append_base64_object(out, value);
    return;
  }
  document_.clear();
  document_.append(value);
  if (!scanner_.validate(document_).has_value()) {
    append_on_one_line(out, as_text(value));
  } else {
    append_text_or_base64(out, value);
  }
}

}  // namespace penstock::console
