// Reads orders and customers from standard input into the embedded log, processes them exactly
// once, and prints the sales of the log.
//
//   orders FOLDER < events
//   customer anna FR
//   order anna 300 tea 10000            (cents, product, milliseconds since the epoch)
//
//   orders --describe                   prints the topology, for `penstock topology`
//
// One thread does everything: the log and the engine are stepped in turn.
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

#include "dsl/windows.h"
#include "embedded/embedded_program.h"
#include "orders/orders.h"
#include "topology/description.h"

namespace {

using namespace penstock;

constexpr const char* kApplication = "orders-example";

// One line of input; what it does not know is said and left out.
Status accept(examples::EmbeddedProgram& program, const std::string& line) {
  std::istringstream words(line);
  std::string kind;
  std::string customer;
  words >> kind >> customer;
  Bytes value;
  std::int64_t at = 0;
  if (kind == "customer") {
    std::string country;
    words >> country;
    dsl::Serde<std::string>::encode(country, value);
  } else if (kind == "order") {
    orders::Order order;
    words >> order.cents >> order.product >> at;
    dsl::Serde<orders::Order>::encode(order, value);
  }
  if (value.empty() || words.fail()) {
    std::cerr << "not understood: " << line << '\n';
    return {};
  }
  return program.append(kind + "s", customer, value, Timestamp(at));
}

void print_sales(const RecordView& record) {
  const auto key = dsl::Serde<dsl::Windowed<std::string>>::decode(*record.key);
  const auto sales = dsl::Serde<orders::Sales>::decode(*record.value);
  if (key.has_value() && sales.has_value()) {
    std::cout << key->key << ' ' << to_string(key->window.start) << ' ' << sales->count << ' '
              << sales->cents << '\n';
  }
}

Status run(const std::string& argument) {
  PENSTOCK_TRY_ASSIGN(topology::Topology topology, orders::make_topology());
  if (argument == "--describe") {
    std::cout << to_json(describe(topology, kApplication)) << '\n';
    return {};
  }
  examples::EmbeddedProgram program;
  PENSTOCK_TRY(
      program.open(argument, kApplication, std::move(topology), {"orders", "customers", "sales"}));
  for (std::string line; std::getline(std::cin, line);) {
    PENSTOCK_TRY(accept(program, line));
  }
  PENSTOCK_TRY(program.run());
  PENSTOCK_TRY(program.read("sales", print_sales));
  return program.close();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: orders FOLDER < events\n       orders --describe\n";
    return 2;
  }
  const Status done = run(arguments[1]);
  if (!done) {
    std::cerr << done.error().to_string() << '\n';
    return 1;
  }
  return 0;
}
