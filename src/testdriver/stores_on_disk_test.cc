// Topologies with stores in RocksDB: they do what they do in memory, and keep their state on a
// disk.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dsl/dsl.h"
#include "testdriver/topology_test_driver.h"
#include "testing/random.h"

namespace penstock::testdriver {
namespace {

using namespace std::chrono_literals;
using dsl::Materialized;
using dsl::StoreType;
using Text = std::string;

// Every kind of store: tables, windows, sessions, joins of streams, a suppression.
topology::Topology everything(StoreType type) {
  dsl::StreamBuilder builder(
      {.application_id = "app", .emit_interval = 0ms, .default_store = type});
  const auto left = builder.stream<Text, Text>("l");
  const auto right = builder.stream<Text, Text>("r");
  const auto table = builder.table<Text, Text>("t", Materialized("table"));
  left.group_by_key().count(Materialized("counts")).to_stream().to("counts");
  left.group_by_key()
      .windowed_by(dsl::TimeWindows::of_size_and_grace(10ms, 5ms))
      .count(Materialized("windows"))
      .suppress(dsl::Suppressed::until_window_closes("last"))
      .to_stream()
      .to("windows");
  left.group_by_key()
      .windowed_by(dsl::SessionWindows::of_inactivity_gap_and_grace(5ms, 10ms))
      .count(Materialized("sessions"))
      .to_stream()
      .to("sessions");
  left.left_join(
          right,
          [](const Text* mine, const Text* theirs) {
            return *mine + (theirs == nullptr ? "-" : *theirs);
          },
          dsl::JoinWindows::of_time_difference_and_grace(3ms, 5ms), dsl::StreamJoined("both"))
      .to("joined");
  right
      .join(
          table, [](const Text& mine, const Text& theirs) { return mine + theirs; },
          dsl::Joined("with-table"))
      .to("with-table");
  auto topology = std::move(builder).build();
  PENSTOCK_CHECK(topology.has_value());
  return *std::move(topology);
}

constexpr const char* kOutputs[] = {"counts", "windows", "sessions", "joined", "with-table"};

enum class Disturbed { kNo, kYes };

// 400 random records, each sent alone.
void send_records(TopologyTestDriver& driver, Disturbed disturbed) {
  testing::SeededRandom random(11);
  for (int number = 0; number < 400; ++number) {
    engine::DrivenRecord record;
    record.partition = PartitionId(0);
    record.timestamp = Timestamp(number + static_cast<std::int64_t>(random.below(20)));
    record.key = "k" + std::to_string(random.below(4));
    record.value = "v" + std::to_string(number);
    const char* topics[] = {"l", "l", "r", "t"};
    driver.driver().send(topics[random.below(4)], record);
    if (disturbed == Disturbed::kYes) {
      driver.expect(driver.driver().run());
      driver.driver().abort();
      if (number % 10 == 0) {
        driver.restart();
      }
    }
    driver.expect(driver.driver().run());
    driver.expect(driver.driver().commit());
  }
}

void expect_same_outputs(TopologyTestDriver& left, TopologyTestDriver& right) {
  for (const char* output : kOutputs) {
    EXPECT_GT(left.produced(output).size(), 20U) << output;
    EXPECT_EQ(left.produced(output), right.produced(output)) << output;
  }
}

TEST(StoresOnDisk, GiveTheSameResultsAsThoseInMemory) {
  const topology::Topology in_memory = everything(StoreType::kInMemory);
  const topology::Topology on_disk = everything(StoreType::kRocksDb);
  TopologyTestDriver memory(in_memory);
  TopologyTestDriver disk(on_disk);
  TopologyTestDriver disturbed(on_disk);

  send_records(memory, Disturbed::kNo);
  send_records(disk, Disturbed::kNo);
  send_records(disturbed, Disturbed::kYes);

  expect_same_outputs(memory, disk);
  expect_same_outputs(memory, disturbed);
  EXPECT_EQ(in_memory.describe(), on_disk.describe());
}

TEST(StoresOnDisk, AreNotReadFromTheirChangelogsAgain) {
  const topology::Topology in_memory = everything(StoreType::kInMemory);
  const topology::Topology on_disk = everything(StoreType::kRocksDb);
  TopologyTestDriver memory(in_memory);
  TopologyTestDriver disk(on_disk);
  send_records(memory, Disturbed::kNo);
  send_records(disk, Disturbed::kNo);

  memory.restart();
  disk.restart();

  EXPECT_GT(memory.driver().restored_count(), 500U);
  // What the last commit of each store brought is read again.
  EXPECT_LT(disk.driver().restored_count(), 40U);
}

TEST(StoresOnDisk, AreChosenForOneStepAlone) {
  std::string path = (std::filesystem::temp_directory_path() / "penstock-state-XXXXXX").string();
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  dsl::StreamBuilder builder({.application_id = "app"});
  const auto stream = builder.stream<Text, Text>("l");
  stream.group_by_key()
      .count(Materialized("on-disk").with_store(StoreType::kRocksDb))
      .to_stream()
      .to("x");
  stream.group_by_key().count(Materialized("in-memory")).to_stream().to("y");
  const auto topology = std::move(builder).build();
  ASSERT_TRUE(topology.has_value());
  {
    TopologyTestDriver driver(*topology, {.state_directory = path});
    driver.create_input_topic<Text, Text>("l").pipe_input("a", "1", Timestamp(1));

    const auto counts = driver.key_value_store<Text, std::int64_t>("on-disk");
    EXPECT_EQ(counts.get("a")->value, 1);
  }

  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(path + "/driver")) {
    folders.push_back(entry.path().filename().string());
  }
  EXPECT_EQ(folders, (std::vector<std::string>{"0_0.on-disk"}));
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace penstock::testdriver
