#include "store/window_key.h"

namespace penstock::store {

namespace {

constexpr std::size_t kSuffixSize = sizeof(std::int64_t) + sizeof(std::uint32_t);

}  // namespace

void append_window_key(const WindowKeyView& key, Bytes& to) {
  const ByteView bytes = as_bytes(key.key);
  to.insert(to.end(), bytes.begin(), bytes.end());
  to.resize(to.size() + kSuffixSize);
  std::byte* suffix = to.data() + to.size() - kSuffixSize;
  store_be<std::int64_t>(suffix, key.start);
  store_be<std::uint32_t>(suffix + sizeof(std::int64_t), key.number);
}

std::optional<WindowKeyView> parse_window_key(ByteView bytes) {
  if (bytes.size() < kSuffixSize) {
    return std::nullopt;
  }
  const ByteView suffix = bytes.last(kSuffixSize);
  return WindowKeyView{as_text(bytes.first(bytes.size() - kSuffixSize)),
                       load_be<std::int64_t>(suffix.data()),
                       load_be<std::uint32_t>(suffix.data() + sizeof(std::int64_t))};
}

}  // namespace penstock::store
