#include "dsl/store_factories.h"

#include <memory>
#include <utility>

#include "store/memory_key_value_store.h"
#include "store/memory_session_store.h"
#include "store/memory_versioned_store.h"
#include "store/memory_window_store.h"

namespace penstock::dsl {

topology::StoreFactory key_value_store(std::string name) {
  return [name = std::move(name)](const topology::StoreContext&) {
    return std::make_unique<store::MemoryKeyValueStore>(name);
  };
}

topology::StoreFactory versioned_store(std::string name, Duration history) {
  return [name = std::move(name), history](const topology::StoreContext&) {
    return std::make_unique<store::MemoryVersionedStore>(name, history);
  };
}

topology::StoreFactory table_store(const Materialized& materialized) {
  return materialized.history().has_value()
             ? versioned_store(materialized.store(), *materialized.history())
             : key_value_store(materialized.store());
}

topology::StoreFactory window_store(std::string name, Duration size, Duration retention) {
  return [name = std::move(name), size, retention](const topology::StoreContext&) {
    return std::make_unique<store::MemoryWindowStore>(
        store::MemoryWindowStore::Options{.name = name, .window = size, .retention = retention});
  };
}

topology::StoreFactory join_window_store(std::string name, const JoinWindows& windows) {
  return [name = std::move(name), windows](const topology::StoreContext&) {
    return std::make_unique<store::MemoryWindowStore>(store::MemoryWindowStore::Options{
        .name = name,
        .window = windows.size(),
        .retention = windows.retention(),
        .duplicates = store::MemoryWindowStore::Duplicates::kKeep});
  };
}

topology::StoreFactory session_store(std::string name, Duration retention) {
  return [name = std::move(name), retention](const topology::StoreContext&) {
    return std::make_unique<store::MemorySessionStore>(name, retention);
  };
}

}  // namespace penstock::dsl
