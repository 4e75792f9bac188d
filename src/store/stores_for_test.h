// ByteStores makes byte stores of the kind that is tested, for tests: in memory, in RocksDB, and in
// a RocksDB that loses what it has not written to its files whenever it is closed, as in a crash.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "store/changelog_for_test.h"
#include "store/memory_key_value_store.h"
#include "store/memory_session_store.h"
#include "store/memory_window_store.h"
#include "store/rocks_key_value_store.h"
#include "store/rocks_session_store.h"
#include "store/rocks_window_store.h"
#include "telemetry/logger.h"
#include "testing/sim_clock.h"

namespace penstock::store {

enum class TestedKind : std::uint8_t { kMemory, kRocks, kRocksThatLoses };

inline std::string to_string(TestedKind kind) {
  return kind == TestedKind::kMemory  ? "Memory"
         : kind == TestedKind::kRocks ? "Rocks"
                                      : "RocksThatLoses";
}

// A store as the engine and as a step knows it.
template <typename ByteStore>
struct Made {
  std::unique_ptr<StateStore> state;
  ByteStore* bytes = nullptr;

  Made() = default;

  template <typename Store>
  explicit Made(std::unique_ptr<Store> store) : bytes(store.get()) {
    state = std::move(store);
  }

  ByteStore* operator->() const { return bytes; }

  ByteStore& operator*() const { return *bytes; }
};

// Databases in memory, and what was said of them.
class RocksForTest {
 public:
  explicit RocksForTest(RocksEnvironment::OnClose on_close = RocksEnvironment::OnClose::kKeep)
      : environment_({.directory = "/state",
                      .files = RocksEnvironment::Files::kInMemory,
                      .on_close = on_close},
                     clock_, logger_) {}

  [[nodiscard]] RocksPlace place(const std::string& store) {
    return {&environment_, "app/0_0." + store, 42};
  }

  [[nodiscard]] RocksEnvironment& environment() { return environment_; }

  [[nodiscard]] testing::SimClock& clock() { return clock_; }

  [[nodiscard]] const std::string& logged() const { return logged_; }

 private:
  testing::SimClock clock_;
  std::string logged_;
  telemetry::Logger logger_{clock_, {.write = [this](std::string_view line) { logged_ += line; }}};
  RocksEnvironment environment_;
};

// The metadata with which the store comes back.
inline std::string commit(StateStore& store, MemoryChangelog& changelog) {
  store.flush(changelog);
  std::string metadata = store.metadata(changelog.end());
  store.commit(TimePoint(), changelog.end());
  changelog.commit();
  return metadata;
}

inline void restore(StateStore& store, const std::string& metadata,
                    const MemoryChangelog& changelog) {
  ASSERT_TRUE(store.begin_restore(metadata));
  ASSERT_TRUE(changelog.restore(store));
  store.finish_restore(TimePoint());
}

class ByteStores : public ::testing::TestWithParam<TestedKind> {
 protected:
  ByteStores()
      : rocks_(GetParam() == TestedKind::kRocksThatLoses ? RocksEnvironment::OnClose::kLose
                                                         : RocksEnvironment::OnClose::kKeep) {}

  [[nodiscard]] static bool in_memory() { return GetParam() == TestedKind::kMemory; }

  [[nodiscard]] Made<KeyValueBytes> make_key_value_store(const std::string& name) {
    if (in_memory()) {
      return Made<KeyValueBytes>(std::make_unique<MemoryKeyValueStore>(name));
    }
    return Made<KeyValueBytes>(std::make_unique<RocksKeyValueStore>(name, rocks_.place(name)));
  }

  [[nodiscard]] Made<WindowBytes> make_window_store(const MemoryWindowStore::Options& options) {
    if (in_memory()) {
      return Made<WindowBytes>(std::make_unique<MemoryWindowStore>(options));
    }
    return Made<WindowBytes>(
        std::make_unique<RocksWindowStore>(options, rocks_.place(options.name)));
  }

  [[nodiscard]] Made<SessionBytes> make_session_store(const std::string& name,
                                                      std::chrono::milliseconds retention) {
    if (in_memory()) {
      return Made<SessionBytes>(std::make_unique<MemorySessionStore>(name, retention));
    }
    return Made<SessionBytes>(
        std::make_unique<RocksSessionStore>(name, retention, rocks_.place(name)));
  }

  RocksForTest rocks_;
};

}  // namespace penstock::store
