// Reads payments from standard input into the embedded log, finds suspicious ones, asks a risk
// service about them, and prints the alerts and dead letters of the log.
//
//   fraud FOLDER URL < payments         URL of the service: GET URL/<card> answers 0 to 100
//   card-7 1200 shoes 10000             (card, cents, merchant, milliseconds since the epoch)
//
//   fraud --describe                    prints the topology, for `penstock topology`
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "core/bytes.h"
#include "fraud/fraud.h"
#include "fraud/risk_client.h"
#include "kit/embedded_program.h"
#include "topology/description.h"

namespace {

using namespace penstock;

constexpr const char* kApplication = "fraud-example";

Status accept(kit::EmbeddedProgram& program, const std::string& line) {
  std::istringstream words(line);
  std::string card;
  std::string cents;
  std::string merchant;
  std::int64_t at = 0;
  words >> card >> cents >> merchant >> at;
  if (words.fail()) {
    std::cerr << "not understood: " << line << '\n';
    return {};
  }
  // What is no number is found out by the topology.
  const std::string payment = cents + " " + merchant;
  return program.append("payments", as_bytes(card), as_bytes(payment), Timestamp(at));
}

void print(const char* what, const RecordView& record) {
  std::cout << what << ' ' << as_text(*record.key) << ' ' << as_text(*record.value) << '\n';
}

Status run(const std::string& folder, const std::string& url) {
  PENSTOCK_TRY_ASSIGN(net::Url place, net::parse_url(url));
  fraud::RiskClient risk(std::move(place));
  PENSTOCK_TRY_ASSIGN(
      topology::Topology topology,
      fraud::make_topology([&risk](const std::string& card, fraud::RiskAnswer answer) {
        risk.ask(card, std::move(answer));
      }));
  kit::EmbeddedProgram program;
  PENSTOCK_TRY(program.open(folder, kApplication, std::move(topology),
                            {"payments", "alerts", "fraud-dead-letters"}));
  for (std::string line; std::getline(std::cin, line);) {
    PENSTOCK_TRY(accept(program, line));
  }
  PENSTOCK_TRY(program.run());
  PENSTOCK_TRY(program.read("alerts", [](const RecordView& record) { print("alert", record); }));
  PENSTOCK_TRY(program.read("fraud-dead-letters",
                            [](const RecordView& record) { print("dead-letter", record); }));
  return program.close();
}

Status print_description() {
  PENSTOCK_TRY_ASSIGN(const topology::Topology topology, fraud::make_topology({}));
  std::cout << to_json(describe(topology, kApplication)) << '\n';
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  const bool describes = count == 2 && std::string(arguments[1]) == "--describe";
  if (!describes && count != 3) {
    std::cerr << "usage: fraud FOLDER URL < payments\n       fraud --describe\n";
    return 2;
  }
  const Status done = describes ? print_description() : run(arguments[1], arguments[2]);
  if (!done) {
    std::cerr << done.error().to_string() << '\n';
    return 1;
  }
  return 0;
}
