#include "penstock/bench/report.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace penstock::bench {
namespace {

Report exact_report() {
  Report report;
  report.totals.events = 1'000;
  report.totals.requests = 10;
  report.in_log = 1'000;
  report.in_store = 1'000;
  report.send_seconds = 2;
  report.processed_seconds = 4;
  report.server_cpu = std::chrono::microseconds(300);
  report.client_cpu = std::chrono::microseconds(50);
  return report;
}

TEST(Report, CountsThroughputUntilEverythingIsProcessed) {
  const std::string json = to_json(exact_report());

  EXPECT_NE(json.find("\"events_per_second\":250,"), std::string::npos) << json;
  EXPECT_NE(json.find("\"acknowledged_per_second\":500,"), std::string::npos) << json;
}

TEST(Report, SharesProcessorTimeAmongTheEvents) {
  const std::string json = to_json(exact_report());

  EXPECT_NE(json.find("\"server_cpu_ns_per_event\":300,"), std::string::npos) << json;
  EXPECT_NE(json.find("\"client_cpu_ns_per_event\":50,"), std::string::npos) << json;
}

TEST(Report, SaysNullForWhatItCannotKnow) {
  Report report = exact_report();
  report.server_cpu.reset();

  const std::string json = to_json(report);

  EXPECT_NE(json.find("\"server_cpu_ns_per_event\":null,"), std::string::npos) << json;
  EXPECT_NE(json.find("\"processed_ms\":null,"), std::string::npos) << json;
}

TEST(Report, SetsWhatTheLogWroteBesideWhatTheDiskCanDo) {
  Report report = exact_report();
  report.log_bytes = 2'000'000;
  report.disk = DiskSpeed{.mb_per_second_durable = 150.5, .sync_ms_p50 = 9.25};

  const std::string json = to_json(report);
  const std::string text = to_text(report);

  EXPECT_NE(json.find("\"disk_mb_per_second_durable\":150.5,\"disk_sync_ms_p50\":9.25,"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find("\"log_bytes_per_event\":2000,\"log_mb_per_second\":0.5,"), std::string::npos)
      << json;
  EXPECT_NE(text.find("0.5 MB/s, 2000 bytes per event"), std::string::npos) << text;
  EXPECT_NE(text.find("150.5 MB/s by itself, durable; 9.25 ms to sync"), std::string::npos) << text;
}

TEST(Report, SaysNothingOfADiskThatWasNotMeasured) {
  const std::string json = to_json(exact_report());
  const std::string text = to_text(exact_report());

  EXPECT_NE(json.find("\"disk_mb_per_second_durable\":null,\"disk_sync_ms_p50\":null,"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find("\"log_bytes_per_event\":null,\"log_mb_per_second\":null,"),
            std::string::npos)
      << json;
  EXPECT_EQ(text.find("MB/s"), std::string::npos) << text;
}

TEST(Report, NamesTheConditions) {
  Report report = exact_report();
  report.options.connections = 3;
  report.options.pipeline = 16;

  EXPECT_NE(to_json(report).find("\"connections\":3,\"pipeline\":16,"), std::string::npos)
      << to_json(report);
}

TEST(Report, IsExactOnlyIfAllThreeCountsAgree) {
  Report report = exact_report();
  EXPECT_TRUE(report.counts_exact());

  report.in_store = 999;
  EXPECT_FALSE(report.counts_exact());
  EXPECT_NE(to_text(report).find("NOT EXACT"), std::string::npos);

  report.in_store = 1'000;
  report.in_log = 1'001;
  EXPECT_FALSE(report.counts_exact());
}

TEST(Report, NamesWhatWasNotDone) {
  Report report = exact_report();
  EXPECT_TRUE(report.all_answered());

  report.totals.refused = 3;
  report.totals.first_problem = "a request was answered 429";

  EXPECT_FALSE(report.all_answered());
  EXPECT_NE(to_text(report).find("3 refused"), std::string::npos);
  EXPECT_NE(to_text(report).find("answered 429"), std::string::npos);
}

TEST(Report, HoldsNoInfinitiesWhenNothingHappened) {
  const std::string json = to_json(Report());

  EXPECT_NE(json.find("\"events_per_second\":0,"), std::string::npos) << json;
  EXPECT_NE(json.find("\"server_cpu_ns_per_event\":null,"), std::string::npos) << json;
}

}  // namespace
}  // namespace penstock::bench
