#include "store/byte_scan.h"

#include <algorithm>
#include <utility>

#include "core/base64.h"
#include "core/json_writer.h"
#include "core/utf8.h"

namespace penstock::store {

namespace {

std::string readable(ByteView bytes) {
  if (is_utf8(as_text(bytes))) {
    return std::string(as_text(bytes));
  }
  std::string text;
  append_base64(text, bytes);
  return text;
}

}  // namespace

ByteScan::ByteScan(Visit visit, ScanRequest request)
    : visit_(std::move(visit)), request_(std::move(request)) {}

bool ByteScan::advance(std::size_t /*row_count*/) {
  if (request_.keys.has_value()) {
    for (const Key& key : *request_.keys) {
      if (key.tag == KeyTag::kString) {
        visit_key(key.bytes);
      }
    }
    return true;
  }
  const ByteView from =
      request_.after.has_value() ? ByteView(request_.after->key.bytes) : ByteView();
  visit_(from, [this](const Entry& entry) { return offer(entry); });
  return true;
}

void ByteScan::visit_key(ByteView key) {
  visit_(key,
         [&](const Entry& entry) { return std::ranges::equal(entry.key, key) && offer(entry); });
}

bool ByteScan::offer(const Entry& entry) {
  const Timestamp start = entry.window.has_value() ? entry.window->start : Timestamp(0);
  if (entry.window.has_value() && ((request_.from.has_value() && start < *request_.from) ||
                                   (request_.to.has_value() && start >= *request_.to))) {
    return true;
  }
  if (request_.after.has_value() && std::ranges::equal(entry.key, request_.after->key.bytes) &&
      start <= request_.after->window_start) {
    return true;
  }
  if (page_.size() > request_.limit) {
    return false;
  }
  ScanEntry found;
  found.position = {{Bytes(entry.key.begin(), entry.key.end()), KeyTag::kString}, start};
  found.entry.key = {{KeyPart::Kind::kString, readable(entry.key)}};
  found.entry.window = entry.window;
  std::string json;
  append_json_string(json, readable(entry.value));
  found.entry.value = TableValue{to_bytes(json), entry.timestamp, PartitionId(0), Offset(0)};
  page_.push_back(std::move(found));
  return true;
}

std::vector<ScanEntry> ByteScan::take() {
  return std::move(page_);
}

}  // namespace penstock::store
