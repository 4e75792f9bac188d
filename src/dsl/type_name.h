// type_name<T>() is what the format of a T is called in a topology's description.
//
// Two versions of a program are compared by these names, so they should change when the bytes do.
// The formats that come with the DSL have Kafka's names; a Serde of one's own may have a static
// `name()`, and is called by its C++ type otherwise.
//
// Threads   any.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "dsl/options.h"
#include "dsl/record.h"
#include "dsl/serde.h"
#include "dsl/windows.h"
#include "topology/topology.h"

namespace penstock::dsl {

// The name of a C++ type as a reader would write it.
[[nodiscard]] std::string demangled(const char* type);

template <typename T>
struct TypeName {
  static std::string get() {
    if constexpr (requires {
                    { Serde<T>::name() } -> std::convertible_to<std::string_view>;
                  }) {
      return std::string(Serde<T>::name());
    } else {
      return demangled(typeid(T).name());
    }
  }
};

template <typename T>
[[nodiscard]] std::string type_name() {
  return TypeName<T>::get();
}

#define PENSTOCK_TYPE_NAME(type, text)        \
  template <>                                 \
  struct TypeName<type> {                     \
    static std::string get() { return text; } \
  }

PENSTOCK_TYPE_NAME(std::string, "string");
PENSTOCK_TYPE_NAME(Bytes, "bytes");
PENSTOCK_TYPE_NAME(std::int16_t, "short");
PENSTOCK_TYPE_NAME(std::int32_t, "integer");
PENSTOCK_TYPE_NAME(std::int64_t, "long");
PENSTOCK_TYPE_NAME(double, "double");
PENSTOCK_TYPE_NAME(float, "float");
PENSTOCK_TYPE_NAME(bool, "boolean");

#undef PENSTOCK_TYPE_NAME

template <typename T>
struct TypeName<std::vector<T>> {
  static std::string get() { return "list<" + type_name<T>() + ">"; }
};

template <typename K>
struct TypeName<Windowed<K>> {
  static std::string get() { return "windowed<" + type_name<K>() + ">"; }
};

template <typename K>
struct TypeName<SessionWindowed<K>> {
  static std::string get() { return "session-windowed<" + type_name<K>() + ">"; }
};

template <typename V>
struct TypeName<Change<V>> {
  static std::string get() { return "change<" + type_name<V>() + ">"; }
};

template <typename K, typename V>
[[nodiscard]] topology::TypeNames type_names() {
  return {type_name<K>(), type_name<V>()};
}

// What stores of K and V are, for descriptions.
template <typename K, typename V>
[[nodiscard]] topology::StoreShape table_shape(const Materialized& materialized) {
  const auto history = materialized.history();
  return {history.has_value() ? "versioned" : "key-value", type_names<K, V>(), 0,
          history.value_or(Duration(0)).count()};
}

template <typename K, typename V>
[[nodiscard]] topology::StoreShape window_shape(Duration size, Duration retention) {
  return {"window", type_names<K, V>(), size.count(), retention.count()};
}

template <typename K, typename V>
[[nodiscard]] topology::StoreShape session_shape(Duration retention) {
  return {"session", type_names<K, V>(), 0, retention.count()};
}

}  // namespace penstock::dsl
