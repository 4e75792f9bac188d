// Program is one topology of the oracle on our side: the same as the Java one of that name.
#pragma once

#include <ostream>
#include <span>
#include <string_view>
#include <vector>

#include "dsl/dsl.h"

namespace penstock::oracle {

struct Program {
  std::string_view name;
  void (*build)(dsl::StreamBuilder& builder);
};

// For failed tests.
// NOLINTNEXTLINE(readability-identifier-naming): gtest looks for it
inline void PrintTo(const Program& program, std::ostream* stream) {
  *stream << program.name;
}

using Programs = std::span<const Program>;

// One function per group: the file of that name, and the class of that name on the Java side.
[[nodiscard]] Programs stateless();
[[nodiscard]] Programs repartitions();
[[nodiscard]] Programs aggregates();
[[nodiscard]] Programs tables();
[[nodiscard]] Programs windows();
[[nodiscard]] Programs sessions();
[[nodiscard]] Programs sliding();
[[nodiscard]] Programs suppression();
[[nodiscard]] Programs emit_on_close();
[[nodiscard]] Programs stream_joins();
[[nodiscard]] Programs stream_table_joins();
[[nodiscard]] Programs table_joins();
[[nodiscard]] Programs foreign_key_joins();
[[nodiscard]] Programs global_tables();
[[nodiscard]] Programs cogroups();
[[nodiscard]] Programs versioned();
[[nodiscard]] Programs processors();
[[nodiscard]] Programs internal_topics();

// A golden file that ours is not compared with, and why.
struct Exempt {
  std::string_view name;
  std::string_view why;
};

[[nodiscard]] std::span<const Exempt> exempt();

[[nodiscard]] std::vector<Program> all_programs();

}  // namespace penstock::oracle
