// A program around one topology, as the examples are: lines of standard input become records of the
// topology's topics in an embedded log, everything is processed exactly once, and the last result
// of each key is printed.
//
//   PROGRAM FOLDER < events
//   PROGRAM --describe           the topology as JSON, for `penstock topology`
//
// Everything is kept in FOLDER. Started again, it goes on where it was. One thread does everything:
// the log and the engine are stepped in turn.
#pragma once

#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "dsl/serde.h"
#include "record/types.h"
#include "topology/topology.h"

namespace kit {

struct Record {
  std::string topic;
  penstock::Bytes key;
  penstock::Bytes value;
  penstock::Timestamp timestamp;
};

template <typename K, typename V>
[[nodiscard]] Record make_record(std::string topic, const K& key, const V& value,
                                 std::int64_t time) {
  Record record{std::move(topic), {}, {}, penstock::Timestamp(time)};
  penstock::dsl::Serde<K>::encode(key, record.key);
  penstock::dsl::Serde<V>::encode(value, record.value);
  return record;
}

struct Program {
  std::string name;
  std::string usage;  // what a line of input looks like
  std::vector<std::string> inputs;
  std::vector<std::string> others{};  // more topics that the topology writes to
  std::string output;                 // what is printed
  penstock::Result<penstock::topology::Topology> (*make_topology)();
  // Reads the words of a line; nothing: it is not understood.
  std::optional<Record> (*parse)(std::istream& words);
  // A result as a line.
  std::string (*print)(penstock::ByteView key, penstock::ByteView value);
};

// main() of such a program.
[[nodiscard]] int run(const Program& program, int count, char** arguments);

}  // namespace kit
