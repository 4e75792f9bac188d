#include "store/session_key.h"

namespace penstock::store {

namespace {

constexpr std::size_t kSuffixSize = 2 * sizeof(std::int64_t);

}  // namespace

void append_session_key(const SessionKeyView& key, Bytes& to) {
  const ByteView bytes = as_bytes(key.key);
  to.insert(to.end(), bytes.begin(), bytes.end());
  to.resize(to.size() + kSuffixSize);
  std::byte* suffix = to.data() + to.size() - kSuffixSize;
  store_be<std::int64_t>(suffix, key.end);
  store_be<std::int64_t>(suffix + sizeof(std::int64_t), key.start);
}

std::optional<SessionKeyView> parse_session_key(ByteView bytes) {
  if (bytes.size() < kSuffixSize) {
    return std::nullopt;
  }
  const ByteView suffix = bytes.last(kSuffixSize);
  return SessionKeyView{as_text(bytes.first(bytes.size() - kSuffixSize)),
                        load_be<std::int64_t>(suffix.data()),
                        load_be<std::int64_t>(suffix.data() + sizeof(std::int64_t))};
}

}  // namespace penstock::store
