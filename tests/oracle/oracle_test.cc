// Ours against Kafka Streams: every topology, every input, record by record.
//
// The golden files say what Kafka Streams did (README.md). `oracle_test print NAME SEED` shows what
// ours does with one input; tools/oracle shows both sides by side.
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "oracle/golden_file.h"
#include "oracle/program.h"
#include "oracle/run.h"

namespace penstock::oracle {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(PENSTOCK_SOURCE_DIR) / "tests/oracle/golden";
constexpr std::size_t kTopologiesMin = 60;
constexpr std::size_t kInputsMin = 200;

[[nodiscard]] Result<GoldenFile> golden_of(std::string_view name) {
  return GoldenFile::read(kFolder / (std::string(name) + ".txt"));
}

[[nodiscard]] std::set<std::string> golden_names() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    names.insert(entry.path().stem().string());
  }
  return names;
}

// The first line that differs, beside what Kafka Streams has there.
[[nodiscard]] std::string first_difference(const std::vector<std::string>& theirs,
                                           const std::vector<std::string>& ours) {
  const auto [their, our] = std::ranges::mismatch(theirs, ours);
  return "Kafka Streams: " + (their == theirs.end() ? "(end)" : *their) +
         "\nours:          " + (our == ours.end() ? "(end)" : *our);
}

// Compares `seeds_max` inputs of the topology.
void expect_agreement(const Program& program, Disturbance disturbance, std::size_t seeds_max) {
  const auto golden = golden_of(program.name);
  ASSERT_TRUE(golden.has_value()) << golden.error().message();
  ASSERT_GE(golden->digests.size(), kInputsMin);
  std::size_t compared = 0;
  std::size_t different = 0;
  std::string first;
  for (const auto& [seed, theirs] : golden->digests) {
    if (compared++ == seeds_max) {
      break;
    }
    const auto ours = play(*golden, program, seed, disturbance);
    ASSERT_TRUE(ours.has_value()) << "seed " << seed << ": " << ours.error().message();
    ASSERT_EQ(ours->digests().inputs, theirs.inputs) << "the generators of inputs differ";
    if (ours->digests() == theirs || different++ > 0) {
      continue;
    }
    const auto run = golden->runs.find(seed);
    first = "seed " + std::to_string(seed) +
            (run == golden->runs.end() ? "" : "\n" + first_difference(run->second, ours->all));
  }
  EXPECT_EQ(different, 0U) << "inputs; the first is " << first
                           << "\nsee both sides: tools/oracle diff " << program.name << " SEED";
}

class OracleTest : public ::testing::TestWithParam<Program> {};

TEST_P(OracleTest, AgreesWithKafkaStreams) {
  expect_agreement(GetParam(), Disturbance::kNone, std::numeric_limits<std::size_t>::max());
}

// What was undone or restored does not show. Two things begin anew with a task and would: the
// rhythm of the wall clock, and that members of a windowed cogroup have times of their own.
TEST_P(OracleTest, AgreesWithKafkaStreamsThroughAbortsAndRestarts) {
  const auto golden = golden_of(GetParam().name);
  ASSERT_TRUE(golden.has_value()) << golden.error().message();
  if (golden->emit_interval_ms > 0) {
    GTEST_SKIP() << "an abort does not set back when closed windows are looked for next";
  }
  const bool restarts_show = golden->profile.clock > 0 || GetParam().name.starts_with("cogroup_");
  constexpr std::size_t kSeeds = 40;
  expect_agreement(GetParam(),
                   restarts_show ? Disturbance::kAborts : Disturbance::kAbortsAndRestarts, kSeeds);
}

INSTANTIATE_TEST_SUITE_P(All, OracleTest, ::testing::ValuesIn(all_programs()),
                         [](const auto& topology) { return std::string(topology.param.name); });

TEST(OracleCatalogTest, EveryGoldenFileIsComparedOrExemptAndNoneIsBoth) {
  std::set<std::string> known;
  for (const Program& program : all_programs()) {
    EXPECT_TRUE(known.insert(std::string(program.name)).second) << program.name << " twice";
  }
  EXPECT_GE(known.size(), kTopologiesMin);
  std::cout << known.size() << " topologies are compared, " << exempt().size() << " are not\n";
  for (const Exempt& one : exempt()) {
    std::cout << "  not compared: " << one.name << ": " << one.why << "\n";
    EXPECT_TRUE(known.insert(std::string(one.name)).second) << one.name << " is compared";
  }
  EXPECT_EQ(known, golden_names());
}

TEST(OracleCatalogTest, GoldenFilesAreNotEmpty) {
  for (const std::string& name : golden_names()) {
    const auto golden = golden_of(name);
    ASSERT_TRUE(golden.has_value()) << golden.error().message();
    std::set<std::string> outputs;
    for (const auto& [seed, digests] : golden->digests) {
      outputs.insert(digests.outputs);
    }
    EXPECT_GT(outputs.size(), kInputsMin / 2) << name << ": most inputs have the same outputs";
  }
}

int print(std::string_view name, int seed) {
  for (const Program& program : all_programs()) {
    if (program.name != name) {
      continue;
    }
    const auto golden = golden_of(name);
    const auto run =
        golden.has_value() ? play(*golden, program, seed) : Result<Run>(golden.error());
    if (!run.has_value()) {
      std::cerr << run.error().message() << "\n";
      return EXIT_FAILURE;
    }
    for (const std::string& line : run->all) {
      std::cout << line << "\n";
    }
    return EXIT_SUCCESS;
  }
  std::cerr << "there is no topology " << name << "\n";
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace penstock::oracle

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 3 && arguments[0] == "print") {
    int seed = 0;
    const char* const end = arguments[2].data() + arguments[2].size();
    if (std::from_chars(arguments[2].data(), end, seed).ptr != end) {
      std::cerr << "the seed is a number\n";
      return EXIT_FAILURE;
    }
    return penstock::oracle::print(arguments[1], seed);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
