#include "store/rocks_session_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "store/ordered_key.h"
#include "store/session_key.h"

namespace penstock::store {

namespace {

struct SessionRow {
  std::string key;
  SessionSpan session;
};

// What is behind the key in a row.
SessionSpan take_session(std::string_view& row) {
  SessionSpan session{};
  session.end = Timestamp(take_ordered_int64(row));
  session.start = Timestamp(take_ordered_int64(row));
  return session;
}

SessionRow parse_row(std::string_view row) {
  row.remove_prefix(1);
  std::string key = take_ordered_bytes(row);
  return {std::move(key), take_session(row)};
}

}  // namespace

RocksSessionStore::RocksSessionStore(std::string name, std::chrono::milliseconds retention,
                                     RocksPlace place)
    : RocksTimedStore(std::move(name), "bytes by key and session", std::move(place), retention) {}

RocksTimedStore::Keys RocksSessionStore::keys_of(ByteView key, SessionSpan session) {
  Keys keys{begin_row(key), begin_entry(session.end.value()), session.end.value()};
  append_ordered(keys.row, session.end.value());
  append_ordered(keys.row, session.start.value());
  append_ordered(keys.entry, session.start.value());
  append_ordered(keys.entry, as_text(key));
  return keys;
}

std::optional<StoredValue> RocksSessionStore::fetch(ByteView key, SessionSpan session) const {
  return session.end.value() < first_live() ? std::nullopt : find(keys_of(key, session).row);
}

bool RocksSessionStore::put(ByteView key, SessionSpan session, std::optional<ByteView> value,
                            Timestamp timestamp) {
  if (!note_time(session.end.value())) {
    return false;
  }
  change(keys_of(key, session), value, timestamp);
  return true;
}

void RocksSessionStore::visit_key(ByteView key, Timestamp end_min, Timestamp start_max,
                                  SessionBytes::KeyVisitor visitor) const {
  const std::string begin = begin_row(key);
  RocksTable::Range range{begin, begin};
  append_ordered(range.from, std::max(end_min.value(), first_live()));
  // More than any end and start, none of which is the largest number.
  append_ordered(range.end, std::numeric_limits<std::int64_t>::max());
  append_ordered(range.end, std::numeric_limits<std::int64_t>::max());
  table().visit(range, [&](std::string_view row, const StoredValue& value) {
    row.remove_prefix(begin.size());
    const SessionSpan session = take_session(row);
    return session.start > start_max || visitor(session, value);
  });
}

void RocksSessionStore::visit_ended(Timestamp from, Timestamp to,
                                    SessionBytes::Visitor visitor) const {
  visit_times(from.value(), to.value(), [&](std::string_view row, const StoredValue& value) {
    const SessionRow at = parse_row(row);
    return visitor(as_bytes(at.key), at.session, value);
  });
}

void RocksSessionStore::visit_all(SessionBytes::Visitor visitor) const {
  visit_live({}, visitor);
}

void RocksSessionStore::visit_live(ByteView from, SessionBytes::Visitor visitor) const {
  const std::int64_t live = first_live();
  table().visit({begin_row(from), std::string(kRowsEnd)}, [&](std::string_view row,
                                                              const StoredValue& value) {
    const SessionRow at = parse_row(row);
    return at.session.end.value() < live || visitor(as_bytes(at.key), at.session, value);
  });
}

void RocksSessionStore::expire(Timestamp before) {
  erase_before(std::min(first_live(), before.value()));
}

void RocksSessionStore::encode_key(std::string_view row, Bytes& to) const {
  const SessionRow at = parse_row(row);
  append_session_key({at.key, at.session.end.value(), at.session.start.value()}, to);
}

bool RocksSessionStore::restore_row(ByteView key, std::optional<ByteView> value,
                                    Timestamp timestamp) {
  const std::optional<SessionKeyView> at = parse_session_key(key);
  if (!at.has_value()) {
    return false;
  }
  note_time(at->end);
  change(keys_of(as_bytes(at->key), at->span()), value, timestamp);
  return true;
}

void RocksSessionStore::visit_entries(ByteView from, const ByteScan::Visitor& visitor) const {
  visit_live(from, [&](ByteView key, SessionSpan session, const StoredValue& stored) {
    const Window window{session.start, session.end};
    return visitor({key, window, stored.value, stored.timestamp});
  });
}

}  // namespace penstock::store
