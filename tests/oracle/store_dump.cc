#include "oracle/store_dump.h"

#include <algorithm>

#include "core/check.h"
#include "oracle/shown.h"
#include "store/byte_stores.h"
#include "store/versioned_bytes.h"

namespace penstock::oracle {
namespace {

[[nodiscard]] std::string show(ByteView bytes, Format format) {
  return shown(std::string(as_text(bytes)), format);
}

[[nodiscard]] std::string show_stamped(const store::StoredValue& stored, Format format) {
  return show(stored.value, format) + " @" + std::to_string(stored.timestamp.value());
}

template <typename Store>
[[nodiscard]] Store& as(store::StateStore& store) {
  auto* typed = dynamic_cast<Store*>(&store);
  PENSTOCK_CHECK(typed != nullptr);
  return *typed;
}

[[nodiscard]] std::vector<std::string> table_lines(const store::KeyValueBytes& table,
                                                   const StoreToCompare& store) {
  std::vector<std::string> lines;
  table.visit({}, [&](ByteView key, const store::StoredValue& stored) {
    lines.push_back(show(key, store.key) + " " +
                    (store.kind == StoreKind::kPlain ? show(stored.value, store.value)
                                                     : show_stamped(stored, store.value)));
    return true;
  });
  return lines;
}

[[nodiscard]] std::vector<std::string> window_lines(const store::WindowBytes& windows,
                                                    const StoreToCompare& store) {
  std::vector<std::string> lines;
  windows.visit_all([&](ByteView key, Timestamp start, const store::StoredValue& stored) {
    lines.push_back(shown_window(show(key, store.key), start.value()) + " " +
                    (store.kind == StoreKind::kPlainWindows ? show(stored.value, store.value)
                                                            : show_stamped(stored, store.value)));
    return true;
  });
  std::ranges::sort(lines);
  return lines;
}

[[nodiscard]] std::vector<std::string> session_lines(const store::SessionBytes& sessions,
                                                     const StoreToCompare& store) {
  std::vector<std::string> lines;
  sessions.visit_all(
      [&](ByteView key, store::SessionSpan session, const store::StoredValue& stored) {
        lines.push_back(
            shown_session(show(key, store.key), session.start.value(), session.end.value()) + " " +
            show(stored.value, store.value));
        return true;
      });
  std::ranges::sort(lines);
  return lines;
}

[[nodiscard]] std::string show_version(const std::optional<store::StoredValue>& stored,
                                       Format format) {
  return stored.has_value() ? show_stamped(*stored, format) : "null";
}

// The latest of each key, and what it was every so often.
[[nodiscard]] std::vector<std::string> version_lines(const store::VersionedBytes& versions,
                                                     const StoreToCompare& store,
                                                     const Profile& profile) {
  constexpr std::int64_t kStepMs = 500;
  constexpr std::int64_t kEndMs = 15'000;
  std::int64_t keys = 0;
  for (const InputTopic& input : profile.inputs) {
    keys = std::max(keys, input.keys);
  }
  std::vector<std::string> lines;
  for (std::int64_t number = 0; number < keys; ++number) {
    const std::string key(1, static_cast<char>('a' + number));
    lines.push_back(key + " " + show_version(versions.get(as_bytes(key)), store.value));
    for (std::int64_t at = 0; at < kEndMs; at += kStepMs) {
      lines.push_back(shown_window(key, at) + " " +
                      show_version(versions.get(as_bytes(key), Timestamp(at)), store.value));
    }
  }
  return lines;
}

}  // namespace

std::vector<std::string> store_lines(engine::TopologyDriver& driver, const StoreToCompare& store,
                                     const Profile& profile) {
  store::StateStore& state = driver.store(store.name, PartitionId(0));
  switch (store.kind) {
    case StoreKind::kTable:
    case StoreKind::kPlain:
      return table_lines(as<store::KeyValueBytes>(state), store);
    case StoreKind::kWindows:
    case StoreKind::kPlainWindows:
      return window_lines(as<store::WindowBytes>(state), store);
    case StoreKind::kSessions:
      return session_lines(as<store::SessionBytes>(state), store);
    case StoreKind::kVersioned:
      return version_lines(as<store::VersionedBytes>(state), store, profile);
  }
  PENSTOCK_CHECK(false);
  return {};
}

}  // namespace penstock::oracle
