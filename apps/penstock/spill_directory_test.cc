#include "penstock/spill_directory.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/completion.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"

namespace penstock::app {
namespace {

using ::testing::ElementsAre;

class SpillDirectoryTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<SpillDirectory>> open() {
    wal::Options options;
    options.directory = "/data/spill";
    options.segment_bytes = 1 * kMiB;
    options.append_bytes_max = options.segment_bytes / 4;
    options.group_bytes_max = options.segment_bytes / 4;
    options.reserve_bytes = options.segment_bytes / 8;
    return SpillDirectory::open(std::move(options), {files_, clock_, random_, metrics_, logger_},
                                [](const Error& error) { FAIL() << error.message(); });
  }

  testing::SimFileSystem files_;
  testing::SimClock clock_;
  os::SeededRandom random_{7};
  telemetry::Registry metrics_;
  telemetry::Logger logger_{clock_, {.write = [](std::string_view) {}}};
};

TEST_F(SpillDirectoryTest, KeepsItsId) {
  std::string id;
  {
    const auto spill = open();
    ASSERT_TRUE(spill) << spill.error().message();
    id = (*spill)->gateway_id();
    EXPECT_EQ(id.size(), 16U);
  }

  const auto again = open();

  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->gateway_id(), id);
}

TEST_F(SpillDirectoryTest, IsOpenInOneProcessOnly) {
  const auto spill = open();

  const auto second = open();

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
}

TEST_F(SpillDirectoryTest, RefusesAnIdThatCannotBeOne) {
  ASSERT_TRUE(files_.create_directories("/data/spill"));
  ASSERT_TRUE(os::write_file_atomically(files_, "/data/spill/id", as_bytes("gateway")));

  const auto spill = open();

  ASSERT_FALSE(spill);
  EXPECT_EQ(spill.error().code(), ErrorCode::kCorrupt);
}

TEST_F(SpillDirectoryTest, GenerationsKeepWhatIsAppendedUntilTheyAreRemoved) {
  const auto spill = open();
  ASSERT_TRUE(spill);
  {
    const auto ninth = (*spill)->open(9);
    const auto tenth = (*spill)->open(10);
    ASSERT_TRUE(ninth && tenth);
    log::TopicConfig config;
    config.name = "web";
    ASSERT_TRUE((*tenth)->log().ensure_topic(config));
  }
  EXPECT_THAT(*(*spill)->generations(), ElementsAre(9, 10));

  ASSERT_TRUE((*spill)->remove(9));

  EXPECT_THAT(*(*spill)->generations(), ElementsAre(10));
  const auto tenth = (*spill)->open(10);
  ASSERT_TRUE(tenth);
  EXPECT_TRUE((*tenth)->log().topic("web"));
}

TEST_F(SpillDirectoryTest, FinishesARemovalThatWasCutShort) {
  {
    const auto spill = open();
    ASSERT_TRUE(spill);
    ASSERT_TRUE((*spill)->open(1));
    ASSERT_TRUE(files_.rename("/data/spill/1", "/data/spill/1.removed"));
  }

  const auto spill = open();

  ASSERT_TRUE(spill) << spill.error().message();
  EXPECT_THAT(*(*spill)->generations(), ElementsAre());
  EXPECT_FALSE(*files_.exists("/data/spill/1.removed"));
}

}  // namespace
}  // namespace penstock::app
