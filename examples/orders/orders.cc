#include "orders/orders.h"

#include <charconv>
#include <chrono>
#include <utility>

#include "dsl/dsl.h"

namespace orders {

namespace {

using namespace std::chrono_literals;
using namespace penstock::dsl;

// An order and where its customer lives.
struct Sale {
  std::string country;
  std::int64_t cents = 0;
};

}  // namespace

}  // namespace orders

// Sales go through a repartition topic: "<cents> <country>".
template <>
struct penstock::dsl::Serde<orders::Sale> {
  static void encode(const orders::Sale& sale, Bytes& to) {
    Serde<orders::Order>::encode({sale.country, sale.cents}, to);
  }

  static std::optional<orders::Sale> decode(ByteView bytes) {
    std::optional<orders::Order> order = Serde<orders::Order>::decode(bytes);
    return order.has_value() ? std::optional(orders::Sale{std::move(order->product), order->cents})
                             : std::nullopt;
  }
};

namespace orders {

penstock::Result<penstock::topology::Topology> make_topology() {
  StreamBuilder builder({.application_id = "orders-example"});
  const auto customers =
      builder.table<std::string, std::string>("customers", Materialized("customers-store"));
  builder.stream<std::string, Order>("orders", {.malformed = Malformed::kDrop})
      .filter([](const Order& order) { return order.cents > 0; })
      .left_join(
          customers,
          [](const Order& order, const std::string* country) {
            return Sale{country == nullptr ? "unknown" : *country, order.cents};
          },
          Joined("with-country"))
      .group_by([](const Sale& sale) { return sale.country; })
      .windowed_by(TimeWindows::of_size_and_grace(1min, 10s))
      .aggregate([] { return Sales(); },
                 [](const std::string&, const Sale& sale, Sales sales) {
                   return Sales{sales.count + 1, sales.cents + sale.cents};
                 },
                 Materialized("sales-per-country"))
      .suppress(Suppressed::until_window_closes("final-sales"))
      .to_stream()
      .to("sales");
  return std::move(builder).build();
}

}  // namespace orders

namespace penstock::dsl {

void Serde<orders::Order>::encode(const orders::Order& order, Bytes& to) {
  const Bytes text = to_bytes(std::to_string(order.cents) + " " + order.product);
  to.insert(to.end(), text.begin(), text.end());
}

std::optional<orders::Order> Serde<orders::Order>::decode(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  orders::Order order;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), order.cents);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') {
    return std::nullopt;
  }
  order.product = text.substr(static_cast<std::size_t>(end - text.data()) + 1);
  return order;
}

void Serde<orders::Sales>::encode(const orders::Sales& sales, Bytes& to) {
  internal::append_number(sales.count, to);
  internal::append_number(sales.cents, to);
}

std::optional<orders::Sales> Serde<orders::Sales>::decode(ByteView bytes) {
  if (bytes.size() != 2 * sizeof(std::int64_t)) {
    return std::nullopt;
  }
  return orders::Sales{load_be<std::int64_t>(bytes.data()),
                       load_be<std::int64_t>(bytes.data() + sizeof(std::int64_t))};
}

}  // namespace penstock::dsl
