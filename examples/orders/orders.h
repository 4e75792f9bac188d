// The topology of this example: sales per country and minute, from orders and customers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "dsl/serde.h"
#include "topology/topology.h"

namespace orders {

struct Order {
  std::string product;
  std::int64_t cents = 0;

  friend bool operator==(const Order&, const Order&) = default;
};

struct Sales {
  std::int64_t count = 0;
  std::int64_t cents = 0;

  friend bool operator==(const Sales&, const Sales&) = default;
};

// Topic "orders": customer -> Order. Topic "customers": customer -> country.
// Topic "sales": (country, minute) -> Sales, once per minute, when no more orders can come for it:
// orders may be 10 s late.
[[nodiscard]] penstock::Result<penstock::topology::Topology> make_topology();

}  // namespace orders

// "<cents> <product>"
template <>
struct penstock::dsl::Serde<orders::Order> {
  static void encode(const orders::Order& order, Bytes& to);
  static std::optional<orders::Order> decode(ByteView bytes);
};

// int64 count | int64 cents
template <>
struct penstock::dsl::Serde<orders::Sales> {
  static void encode(const orders::Sales& sales, Bytes& to);
  static std::optional<orders::Sales> decode(ByteView bytes);
};
