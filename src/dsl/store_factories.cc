#include "dsl/store_factories.h"

#include <memory>
#include <utility>

#include "store/memory_key_value_store.h"
#include "store/memory_session_store.h"
#include "store/memory_versioned_store.h"
#include "store/memory_window_store.h"
#include "store/rocks_key_value_store.h"
#include "store/rocks_session_store.h"
#include "store/rocks_window_store.h"

namespace penstock::dsl {

namespace {

// One of the two kinds, made of the same arguments.
template <typename Memory, typename Rocks, typename... Arguments>
std::unique_ptr<store::StateStore> make_store(const topology::StoreContext& context,
                                              const std::string& name,
                                              const Arguments&... arguments) {
  if (context.type == StoreType::kInMemory) {
    return std::make_unique<Memory>(arguments...);
  }
  return std::make_unique<Rocks>(
      arguments...,
      store::RocksPlace{context.rocks, context.folder + "." + name, context.hash_seed});
}

topology::StoreFactory window_store(store::MemoryWindowStore::Options options) {
  return [options = std::move(options)](const topology::StoreContext& context) {
    return make_store<store::MemoryWindowStore, store::RocksWindowStore>(context, options.name,
                                                                         options);
  };
}

}  // namespace

topology::StoreFactory key_value_store(std::string name) {
  return [name = std::move(name)](const topology::StoreContext& context) {
    return make_store<store::MemoryKeyValueStore, store::RocksKeyValueStore>(context, name, name);
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
             : stored_as(materialized.type(), key_value_store(materialized.store()));
}

topology::StoreFactory window_store(std::string name, Duration size, Duration retention) {
  return window_store({.name = std::move(name), .window = size, .retention = retention});
}

topology::StoreFactory join_window_store(std::string name, const JoinWindows& windows) {
  return window_store({.name = std::move(name),
                       .window = windows.size(),
                       .retention = windows.retention(),
                       .duplicates = store::MemoryWindowStore::Duplicates::kKeep});
}

topology::StoreFactory session_store(std::string name, Duration retention) {
  return [name = std::move(name), retention](const topology::StoreContext& context) {
    return make_store<store::MemorySessionStore, store::RocksSessionStore>(context, name, name,
                                                                           retention);
  };
}

topology::StoreFactory stored_as(std::optional<StoreType> type, topology::StoreFactory factory) {
  if (!type.has_value()) {
    return factory;
  }
  return [type = *type, factory = std::move(factory)](topology::StoreContext context) {
    context.type = type;
    return factory(context);
  };
}

}  // namespace penstock::dsl
