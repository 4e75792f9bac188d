#include "engine/query_gather.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/check.h"

namespace penstock::engine {

using store::Key;
using store::KeyPart;
using store::ScanEntry;
using store::ScanPosition;

namespace {

// What one text in a path may mean; see StoreQuery::key.
std::vector<KeyPart> meanings_of(const std::string& text) {
  using Kind = KeyPart::Kind;
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
    return {{Kind::kString, text.substr(1, text.size() - 2)}};
  }
  std::vector<KeyPart> meanings = {{Kind::kString, text}};
  if (text == "null") {
    meanings.push_back({Kind::kNull, text});
  } else if (text == "false") {
    meanings.push_back({Kind::kFalse, text});
  } else if (text == "true") {
    meanings.push_back({Kind::kTrue, text});
  } else if (store::is_json_number(text)) {
    meanings.push_back({Kind::kNumber, text});
  }
  return meanings;
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::optional<Bytes> from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    const std::size_t high = kHexDigits.find(text[at]);
    const std::size_t low = kHexDigits.find(text[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return text.size() % 2 == 0 ? std::optional(std::move(bytes)) : std::nullopt;
}

bool before(const ScanEntry& left, const ScanEntry& right) {
  const std::strong_ordering order =
      compare_keys(left.position.key.view(), right.position.key.view());
  return order == std::strong_ordering::less ||
         (order == std::strong_ordering::equal &&
          left.position.window_start < right.position.window_start);
}

}  // namespace

std::string format_cursor(const ScanPosition& position) {
  Bytes bytes(sizeof(std::int64_t));
  store_be(bytes.data(), position.window_start.value());
  append_tagged_key(bytes, position.key.view());
  std::string text;
  for (const std::byte byte : bytes) {
    text += kHexDigits[std::to_integer<std::size_t>(byte) >> 4];
    text += kHexDigits[std::to_integer<std::size_t>(byte) & 15];
  }
  return text;
}

Result<ScanPosition> parse_cursor(std::string_view cursor) {
  const Error not_ours(ErrorCode::kInvalid,
                       "the cursor is not one that this store has given; leave it out to start");
  const std::optional<Bytes> bytes = from_hex(cursor);
  if (!bytes.has_value() || bytes->size() < sizeof(std::int64_t)) {
    return not_ours;
  }
  const auto key = store::parse_tagged_key(ByteView(*bytes).subspan(sizeof(std::int64_t)));
  if (!key || !key_parts(*key)) {
    return not_ours;
  }
  return ScanPosition{{Bytes(key->bytes.begin(), key->bytes.end()), key->tag},
                      Timestamp(load_be<std::int64_t>(bytes->data()))};
}

Result<std::vector<Key>> keys_for(const std::vector<std::string>& texts, std::size_t part_count) {
  if (texts.size() != part_count) {
    return Error(ErrorCode::kInvalid, "keys of this store have " + std::to_string(part_count) +
                                          " parts, and " + std::to_string(texts.size()) +
                                          " were given");
  }
  std::vector<std::vector<KeyPart>> combinations = {{}};
  for (const std::string& text : texts) {
    std::vector<std::vector<KeyPart>> longer;
    for (const KeyPart& meaning : meanings_of(text)) {
      for (const std::vector<KeyPart>& beginning : combinations) {
        longer.push_back(beginning);
        longer.back().push_back(meaning);
      }
    }
    combinations = std::move(longer);
  }
  std::vector<Key> keys;
  std::ranges::transform(combinations, std::back_inserter(keys), store::make_key);
  std::ranges::sort(keys, [](const Key& left, const Key& right) {
    return compare_keys(left.view(), right.view()) == std::strong_ordering::less;
  });
  return keys;
}

Result<Ref<QueryGather>> QueryGather::make(const store::StoreQuery& query,
                                           const store::StoreDescription& description,
                                           QueryScope scope, Done& done) {
  store::ScanRequest request;
  request.limit = std::clamp<std::size_t>(query.limit, 1, store::StoreQuery::kLimitMax);
  request.from = query.from;
  request.to = query.to;
  if (query.key.has_value()) {
    PENSTOCK_TRY_ASSIGN(request.keys, keys_for(*query.key, description.group_by.size()));
  }
  if (!query.cursor.empty()) {
    PENSTOCK_TRY_ASSIGN(request.after, parse_cursor(query.cursor));
  }
  Ref<QueryGather> gather(new QueryGather(description, std::move(request), scope.is_shared));
  gather->state_.with([&](State& state) {
    state.shares_left = scope.thread_count;
    state.done = std::move(done);
  });
  return gather;
}

void QueryGather::add(PartialAnswer answer) {
  State finished;
  state_.with([&](State& state) {
    std::ranges::move(answer.entries, std::back_inserter(state.all.entries));
    std::ranges::move(answer.complete_to, std::back_inserter(state.all.complete_to));
    state.all.partition_count += answer.partition_count;
    state.all.all_there = state.all.all_there && answer.all_there;
    if (--state.shares_left == 0) {
      finished = std::exchange(state, {});
    }
  });
  this->answer(finished);
}

void QueryGather::fail(const Error& error) {
  State finished;
  state_.with([&](State& state) {
    state.error = error;
    if (--state.shares_left == 0) {
      finished = std::exchange(state, {});
    }
  });
  answer(finished);
}

void QueryGather::answer(State& state) const {
  if (state.done) {
    state.done(merge(state));
  }
}

Result<store::StoreAnswer> QueryGather::merge(State& state) const {
  if (state.error.has_value()) {
    return *state.error;
  }
  const bool is_whole = state.all.partition_count >= description_.partition_count;
  if (!is_whole && !(is_shared_ && state.all.all_there)) {
    return Error(ErrorCode::kBusy,
                 "store \"" + description_.name +
                     "\" is being restored: " + std::to_string(state.all.partition_count) + " of " +
                     std::to_string(description_.partition_count) + " partitions are ready");
  }
  store::StoreAnswer answer;
  if (!is_whole) {
    answer.part = store::StoreAnswer::Part{state.all.partition_count, description_.partition_count};
  }
  answer.kind = description_.kind;
  answer.columns = description_.columns;
  std::ranges::sort(state.all.entries, before);
  std::vector<ScanEntry>& entries = state.all.entries;
  if (entries.size() > request_.limit) {
    answer.next_cursor = format_cursor(entries[request_.limit - 1].position);
    entries.resize(request_.limit);
  }
  for (ScanEntry& entry : entries) {
    answer.entries.push_back(std::move(entry.entry));
  }
  // Several tasks may know of one source partition; the least of them holds for all.
  std::map<std::pair<std::string, PartitionId>, Offset> least;
  for (const store::CompleteTo& complete : state.all.complete_to) {
    const auto [at, is_new] =
        least.try_emplace({complete.topic, complete.partition}, complete.offset);
    at->second = std::min(at->second, complete.offset);
  }
  for (const auto& [at, offset] : least) {
    answer.complete_to.push_back({at.first, at.second, offset});
  }
  return answer;
}

QueryShare::~QueryShare() {
  if (gather_) {
    fail(Error(ErrorCode::kFatal, "the engine has stopped"));
  }
}

void QueryShare::add(PartialAnswer answer) {
  std::exchange(gather_, {})->add(std::move(answer));
}

void QueryShare::fail(const Error& error) {
  std::exchange(gather_, {})->fail(error);
}

StoreReader::StoreReader(QueryShare share, const std::vector<const store::StateStore*>& stores,
                         bool all_there)
    : share_(std::move(share)) {
  for (const store::StateStore* store : stores) {
    std::ranges::move(store->complete_to(), std::back_inserter(answer_.complete_to));
    scans_.push_back(store->scan(share_.gather().request()));
  }
  answer_.partition_count = static_cast<std::int32_t>(stores.size());
  answer_.all_there = all_there;
}

bool StoreReader::advance(std::size_t row_count) {
  while (!scans_.empty()) {
    if (!scans_.back()->advance(row_count)) {
      return false;
    }
    std::ranges::move(scans_.back()->take(), std::back_inserter(answer_.entries));
    scans_.pop_back();
  }
  share_.add(std::move(answer_));
  return true;
}

}  // namespace penstock::engine
