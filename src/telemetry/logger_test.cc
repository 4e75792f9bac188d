#include "telemetry/logger.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/sim_clock.h"

namespace penstock::telemetry {
namespace {

// A logger that writes into a list, on a clock that stands still.
struct Fixture {
  explicit Fixture(Logger::Options options = {}) : log(clock, with_lines(std::move(options))) {}

  Logger::Options with_lines(Logger::Options options) {
    options.write = [this](std::string_view line) { lines.emplace_back(line); };
    return options;
  }

  testing::SimClock clock;
  std::vector<std::string> lines;
  Logger log;
};

TEST(Logger, WritesTimeLevelComponentMessageAndFields) {
  Fixture f;

  f.log.warn("wal", "tail truncated",
             {{"segment", 17}, {"bytes", std::size_t{4096}}, {"ok", true}, {"ms", 1.5}});

  ASSERT_EQ(f.lines.size(), 1u);
  EXPECT_EQ(
      f.lines[0],
      "2024-01-01T00:00:00.000Z WARN  wal: tail truncated segment=17 bytes=4096 ok=true ms=1.5\n");
}

TEST(Logger, WritesJsonLinesWhenAsked) {
  Fixture f({.format = LogFormat::kJson});

  f.log.info("http", "listening", {{"address", "127.0.0.1:8080"}, {"threads", 2}});

  ASSERT_EQ(f.lines.size(), 1u);
  EXPECT_EQ(f.lines[0],
            "{\"time\":\"2024-01-01T00:00:00.000Z\",\"level\":\"info\",\"component\":\"http\","
            "\"message\":\"listening\",\"address\":\"127.0.0.1:8080\",\"threads\":2}\n");
}

TEST(Logger, QuotesTextThatWouldBreakTheLineOrItsFields) {
  Fixture f;

  f.log.info("http", "bad request",
             {{"path", "/a b"}, {"agent", "x\n2024 ERROR forged"}, {"empty", ""}});

  ASSERT_EQ(f.lines.size(), 1u);
  EXPECT_EQ(f.lines[0],
            "2024-01-01T00:00:00.000Z INFO  http: bad request path=\"/a b\" "
            "agent=\"x\\n2024 ERROR forged\" empty=\"\"\n");
}

TEST(Logger, LeavesOutLevelsBelowItsOwn) {
  Fixture f({.level = LogLevel::kWarn});

  f.log.debug("a", "debug");
  f.log.info("a", "info");
  f.log.warn("a", "warn");
  f.log.error("a", "error");

  EXPECT_EQ(f.lines.size(), 2u);
}

TEST(Logger, HoldsBackRepeatsAndSaysHowMany) {
  Fixture f({.repeats_max = 2});

  for (int i = 0; i < 5; ++i) {
    f.log.error("wal", "disk full");
  }
  f.log.error("wal", "another message");
  f.clock.advance(std::chrono::seconds(10));
  f.log.error("wal", "disk full");

  ASSERT_EQ(f.lines.size(), 4u);
  EXPECT_EQ(f.lines[1].find("suppressed"), std::string::npos);
  EXPECT_NE(f.lines[2].find("another message"), std::string::npos);
  EXPECT_NE(f.lines[3].find("disk full suppressed=3\n"), std::string::npos);
}

}  // namespace
}  // namespace penstock::telemetry
