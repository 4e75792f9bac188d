// Sales per country and minute, of the orders and customers on standard input.
#include "dsl/windows.h"
#include "kit/program.h"
#include "orders/orders.h"

namespace {

using penstock::ByteView;
using penstock::dsl::Serde;
using penstock::dsl::Windowed;

std::optional<kit::Record> parse(std::istream& words) {
  std::string kind;
  std::string customer;
  words >> kind >> customer;
  if (kind == "customer") {
    std::string country;
    words >> country;
    return words ? std::optional(kit::make_record("customers", customer, country, 0))
                 : std::nullopt;
  }
  orders::Order order;
  std::int64_t time = 0;
  words >> order.cents >> order.product >> time;
  return words && kind == "order" ? std::optional(kit::make_record("orders", customer, order, time))
                                  : std::nullopt;
}

std::string print(ByteView key, ByteView value) {
  const auto country = Serde<Windowed<std::string>>::decode(key);
  const auto sales = Serde<orders::Sales>::decode(value);
  return country->key + " " + to_string(country->window.start) + " " +
         std::to_string(sales->count) + " " + std::to_string(sales->cents);
}

}  // namespace

int main(int count, char** arguments) {
  return kit::run({.name = "orders",
                   .usage = "  customer anna FR\n"
                            "  order anna 300 tea 10000     (cents, product, milliseconds)",
                   .inputs = {"orders", "customers"},
                   .output = "sales",
                   .make_topology = orders::make_topology,
                   .parse = parse,
                   .print = print},
                  count, arguments);
}
