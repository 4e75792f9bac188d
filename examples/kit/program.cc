#include "kit/program.h"

#include <iostream>
#include <map>
#include <sstream>
#include <utility>

#include "kit/embedded_program.h"
#include "topology/description.h"

namespace kit {

namespace {

using namespace penstock;

// One line of input; what the program does not know is said and left out.
Status accept(const Program& program, EmbeddedProgram& embedded, const std::string& line) {
  std::istringstream words(line);
  const std::optional<Record> record = program.parse(words);
  if (!record.has_value()) {
    std::cerr << "not understood: " << line << '\n' << program.usage << '\n';
    return {};
  }
  return embedded.append(record->topic, ByteView(record->key), ByteView(record->value),
                         record->timestamp);
}

// The last result of each key; without a value there is none.
Status print_results(const Program& program, EmbeddedProgram& embedded) {
  std::map<std::string, std::string> results;
  PENSTOCK_TRY(embedded.read(program.output, [&](const RecordView& record) {
    const std::string key(as_text(*record.key));
    if (record.value.has_value()) {
      results.insert_or_assign(key, std::string(as_text(*record.value)));
    } else {
      results.erase(key);
    }
  }));
  for (const auto& [key, value] : results) {
    std::cout << program.print(as_bytes(key), as_bytes(value)) << '\n';
  }
  return {};
}

Status run(const Program& program, const std::string& folder) {
  PENSTOCK_TRY_ASSIGN(topology::Topology topology, program.make_topology());
  if (folder == "--describe") {
    std::cout << to_json(describe(topology, program.name)) << '\n';
    return {};
  }
  std::vector<std::string> topics = program.inputs;
  topics.insert(topics.end(), program.others.begin(), program.others.end());
  topics.push_back(program.output);
  EmbeddedProgram embedded;
  PENSTOCK_TRY(embedded.open(folder, program.name, std::move(topology), topics));
  for (std::string line; std::getline(std::cin, line);) {
    PENSTOCK_TRY(accept(program, embedded, line));
  }
  PENSTOCK_TRY(embedded.run());
  PENSTOCK_TRY(print_results(program, embedded));
  return embedded.close();
}

}  // namespace

int run(const Program& program, int count, char** arguments) {
  const std::string argument = count == 2 ? arguments[1] : "-";
  if (argument.starts_with("-") && argument != "--describe") {
    std::cerr << "usage: " << program.name << " FOLDER < events, or --describe\n"
              << program.usage << '\n';
    return argument == "--help" ? 0 : 2;
  }
  const Status done = run(program, argument);
  if (!done) {
    std::cerr << program.name << ": " << done.error().to_string() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace kit
