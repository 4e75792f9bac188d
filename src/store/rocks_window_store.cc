#include "store/rocks_window_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "store/ordered_key.h"

namespace penstock::store {

namespace {

std::string append_parts(std::string to, std::int64_t start, std::uint32_t number) {
  append_ordered(to, start);
  append_ordered(to, number);
  return to;
}

WindowKey parse_row(std::string_view row) {
  row.remove_prefix(1);
  WindowKey key{WindowKeyView{}};
  key.key = take_ordered_bytes(row);
  key.start = take_ordered_int64(row);
  key.number = take_ordered_uint32(row);
  return key;
}

}  // namespace

RocksWindowStore::RocksWindowStore(Options options, RocksPlace place)
    : RocksTimedStore(options.name, MemoryWindowStore::definition(options), std::move(place),
                      options.retention),
      options_(std::move(options)) {}

std::optional<StoredValue> RocksWindowStore::fetch(ByteView key, Timestamp start) const {
  return start.value() < first_live() ? std::nullopt
                                      : find(append_parts(begin_row(key), start.value(), 0));
}

bool RocksWindowStore::put(ByteView key, Timestamp start, std::optional<ByteView> value,
                           Timestamp timestamp) {
  if (!note_time(start.value())) {
    return false;
  }
  std::uint32_t number = 0;
  if (options_.duplicates == Duplicates::kKeep) {
    if (!value.has_value()) {
      return true;
    }
    state_.last_number = (state_.last_number + 1) & kLastWindowNumber;
    number = state_.last_number;
  }
  change(keys_of({as_text(key), start.value(), number}), value, timestamp);
  return true;
}

RocksTimedStore::Keys RocksWindowStore::keys_of(const WindowKeyView& key) {
  Keys keys{append_parts(begin_row(as_bytes(key.key)), key.start, key.number),
            begin_entry(key.start), key.start};
  append_ordered(keys.entry, key.key);
  append_ordered(keys.entry, key.number);
  return keys;
}

void RocksWindowStore::visit_key(ByteView key, Timestamp from, Timestamp to,
                                 WindowBytes::KeyVisitor visitor) const {
  visit_key(key, from, to, RocksTable::Order::kForward, visitor);
}

void RocksWindowStore::visit_key_backward(ByteView key, Timestamp from, Timestamp to,
                                          WindowBytes::KeyVisitor visitor) const {
  visit_key(key, from, to, RocksTable::Order::kBackward, visitor);
}

void RocksWindowStore::visit_key(ByteView key, Timestamp from, Timestamp to,
                                 RocksTable::Order order, WindowBytes::KeyVisitor visitor) const {
  const std::string begin = begin_row(key);
  const std::int64_t first = std::max(from.value(), first_live());
  // Numbers end before the largest.
  const RocksTable::Range range{
      append_parts(begin, first, 0),
      append_parts(begin, to.value(), std::numeric_limits<std::uint32_t>::max()), order};
  table().visit(range, [&](std::string_view row, const StoredValue& value) {
    row.remove_prefix(begin.size());
    return visitor(Timestamp(take_ordered_int64(row)), value);
  });
}

void RocksWindowStore::visit_time(Timestamp from, Timestamp to,
                                  WindowBytes::Visitor visitor) const {
  visit_times(from.value(), to.value(), [&](std::string_view row, const StoredValue& value) {
    const WindowKey key = parse_row(row);
    return visitor(as_bytes(key.key), Timestamp(key.start), value);
  });
}

void RocksWindowStore::visit_all(WindowBytes::Visitor visitor) const {
  visit_live({}, visitor);
}

void RocksWindowStore::visit_live(ByteView from, WindowBytes::Visitor visitor) const {
  const std::int64_t live = first_live();
  table().visit({begin_row(from), std::string(kRowsEnd)}, [&](std::string_view row,
                                                              const StoredValue& value) {
    const WindowKey key = parse_row(row);
    return key.start < live || visitor(as_bytes(key.key), Timestamp(key.start), value);
  });
}

void RocksWindowStore::expire(Timestamp before) {
  erase_before(std::min(first_live(), before.value()));
}

void RocksWindowStore::encode_key(std::string_view row, Bytes& to) const {
  append_window_key(parse_row(row).view(), to);
}

bool RocksWindowStore::restore_row(ByteView key, std::optional<ByteView> value,
                                   Timestamp timestamp) {
  const std::optional<WindowKeyView> at = parse_window_key(key);
  if (!at.has_value()) {
    return false;
  }
  note_time(at->start);
  change(keys_of(*at), value, timestamp);
  return true;
}

void RocksWindowStore::visit_entries(ByteView from, const ByteScan::Visitor& visitor) const {
  visit_live(from, [&](ByteView key, Timestamp start, const StoredValue& stored) {
    const Window window{start, start + options_.window.count()};
    return visitor({key, window, stored.value, stored.timestamp});
  });
}

}  // namespace penstock::store
