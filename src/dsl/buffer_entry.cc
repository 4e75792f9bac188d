#include "dsl/buffer_entry.h"

#include <utility>

namespace penstock::dsl {

namespace {

void append_sized(const std::optional<ByteView>& bytes, Bytes& to) {
  internal::append_number(
      bytes.has_value() ? static_cast<std::int32_t>(bytes->size()) : std::int32_t{-1}, to);
  if (bytes.has_value()) {
    to.insert(to.end(), bytes->begin(), bytes->end());
  }
}

std::optional<ByteView> view(const std::optional<Bytes>& bytes) {
  return bytes.has_value() ? std::optional(ByteView(*bytes)) : std::nullopt;
}

// Reads from the front of bytes; once something is malformed, everything is.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  template <typename T>
  [[nodiscard]] T number() {
    if (bytes_.size() < sizeof(T)) {
      is_valid_ = false;
      return {};
    }
    const T value = load_be<T>(bytes_.data());
    bytes_ = bytes_.subspan(sizeof(T));
    return value;
  }

  [[nodiscard]] std::optional<Bytes> sized() {
    const auto size = number<std::int32_t>();
    if (size < 0 || !is_valid_) {
      return std::nullopt;
    }
    if (static_cast<std::size_t>(size) > bytes_.size()) {
      is_valid_ = false;
      return std::nullopt;
    }
    const ByteView taken = bytes_.first(static_cast<std::size_t>(size));
    bytes_ = bytes_.subspan(taken.size());
    return Bytes(taken.begin(), taken.end());
  }

  [[nodiscard]] std::string text() {
    const std::optional<Bytes> bytes = sized();
    return bytes.has_value() ? std::string(as_text(*bytes)) : std::string();
  }

  [[nodiscard]] bool is_valid() const { return is_valid_; }

 private:
  ByteView bytes_;
  bool is_valid_ = true;
};

std::uint64_t size_of(const std::optional<Bytes>& bytes) {
  return bytes.has_value() ? bytes->size() : 0;
}

}  // namespace

std::uint64_t BufferEntry::accounted_bytes(std::size_t key_size) const {
  constexpr std::uint64_t kTimes = 3 * sizeof(std::int64_t);  // in the queue; timestamp, offset
  std::uint64_t size = kTimes + sizeof(std::int32_t) + key_size + topic.size() +
                       size_of(prior_value) + size_of(new_value);
  if (old_value != prior_value) {
    size += size_of(old_value);
  }
  for (const Header& header : headers) {
    size += header.key.size() + size_of(header.value);
  }
  return size;
}

void Serde<BufferKey>::encode(const BufferKey& key, Bytes& to) {
  internal::append_number(key.time, to);
  const ByteView bytes = as_bytes(key.key);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

std::optional<BufferKey> Serde<BufferKey>::decode(ByteView bytes) {
  if (bytes.size() < sizeof(std::int64_t)) {
    return std::nullopt;
  }
  return BufferKey{load_be<std::int64_t>(bytes.data()),
                   std::string(as_text(bytes.subspan(sizeof(std::int64_t))))};
}

void Serde<BufferEntry>::encode(const BufferEntry& entry, Bytes& to) {
  internal::append_number(entry.timestamp.value(), to);
  append_sized(as_bytes(entry.topic), to);
  append_sized(view(entry.prior_value), to);
  append_sized(view(entry.old_value), to);
  append_sized(view(entry.new_value), to);
  internal::append_number(static_cast<std::int32_t>(entry.headers.size()), to);
  for (const Header& header : entry.headers) {
    append_sized(as_bytes(header.key), to);
    append_sized(view(header.value), to);
  }
}

std::optional<BufferEntry> Serde<BufferEntry>::decode(ByteView bytes) {
  Reader reader(bytes);
  BufferEntry entry;
  entry.timestamp = Timestamp(reader.number<std::int64_t>());
  entry.topic = reader.text();
  entry.prior_value = reader.sized();
  entry.old_value = reader.sized();
  entry.new_value = reader.sized();
  const auto count = reader.number<std::int32_t>();
  for (std::int32_t index = 0; index < count && reader.is_valid(); ++index) {
    std::string name = reader.text();
    entry.headers.push_back({std::move(name), reader.sized()});
  }
  return reader.is_valid() ? std::optional(std::move(entry)) : std::nullopt;
}

}  // namespace penstock::dsl
