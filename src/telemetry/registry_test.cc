#include "telemetry/registry.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::telemetry {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Registry, WritesCountersAndGaugesAsPrometheusReadsThem) {
  Registry registry;
  registry
      .counter("penstock_events_total", "Events by outcome.",
               {{"topic", "web"}, {"outcome", "accepted"}})
      .add(12);
  registry
      .counter("penstock_events_total", "Events by outcome.",
               {{"outcome", "late"}, {"topic", "web"}})
      .add(1);
  registry.gauge("penstock_memory_bytes", "Memory in use.").set(1.5e9);

  EXPECT_EQ(registry.expose(),
            "# HELP penstock_events_total Events by outcome.\n"
            "# TYPE penstock_events_total counter\n"
            "penstock_events_total{outcome=\"accepted\",topic=\"web\"} 12\n"
            "penstock_events_total{outcome=\"late\",topic=\"web\"} 1\n"
            "# HELP penstock_memory_bytes Memory in use.\n"
            "# TYPE penstock_memory_bytes gauge\n"
            "penstock_memory_bytes 1500000000\n");
}

TEST(Registry, AddsUpTheHandlesOfAllThreadsThatHoldTheSameSeries) {
  Registry registry;
  Counter& io_0 = registry.counter("penstock_requests_total", "Requests.", {{"code", "200"}});
  Counter& io_1 = registry.counter("penstock_requests_total", "Requests.", {{"code", "200"}});
  io_0.add(3);
  io_1.add(4);

  EXPECT_NE(&io_0, &io_1);
  EXPECT_EQ(registry.value("penstock_requests_total", {{"code", "200"}}), 7);
  EXPECT_THAT(registry.expose(), HasSubstr("penstock_requests_total{code=\"200\"} 7\n"));
}

TEST(Registry, EscapesLabelValuesAndHelpTexts) {
  Registry registry;
  registry.counter("penstock_x_total", "A\\B\nC \"quoted\".", {{"path", "a\"b\\c\nd"}}).add(1);

  const std::string page = registry.expose();

  EXPECT_THAT(page, HasSubstr("# HELP penstock_x_total A\\\\B\\nC \"quoted\".\n"));
  EXPECT_THAT(page, HasSubstr("penstock_x_total{path=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Registry, WritesHistogramsWithBucketsSumCountQuantilesAndMaximum) {
  Registry registry;
  LatencyHistogram& ack =
      registry.histogram("penstock_ack_seconds", "Time to the ack.", {{"stage", "sync"}});
  ack.record(milliseconds(1), 98);
  ack.record(milliseconds(40), 2);

  const std::string page = registry.expose();

  EXPECT_THAT(page, HasSubstr("# TYPE penstock_ack_seconds histogram\n"));
  EXPECT_THAT(page, HasSubstr("penstock_ack_seconds_bucket{stage=\"sync\",le=\"0.0005\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("penstock_ack_seconds_bucket{stage=\"sync\",le=\"0.0025\"} 98\n"));
  EXPECT_THAT(page, HasSubstr("penstock_ack_seconds_bucket{stage=\"sync\",le=\"0.05\"} 100\n"));
  EXPECT_THAT(page, HasSubstr("penstock_ack_seconds_bucket{stage=\"sync\",le=\"+Inf\"} 100\n"));
  EXPECT_THAT(page, HasSubstr("penstock_ack_seconds_sum{stage=\"sync\"} 0.178\n"));
  EXPECT_THAT(page, HasSubstr("penstock_ack_seconds_count{stage=\"sync\"} 100\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE penstock_ack_seconds_quantile gauge\n"));
  EXPECT_THAT(page,
              HasSubstr("penstock_ack_seconds_quantile{stage=\"sync\",quantile=\"0.99\"} 0.0"));
  EXPECT_THAT(page, HasSubstr("penstock_ack_seconds_max{stage=\"sync\"} 0.04\n"));
}

TEST(Registry, PutsAValueOnABucketLimitIntoThatBucket) {
  Registry registry;
  registry.histogram("penstock_ack_seconds", "Time to the ack.").record(milliseconds(1));

  EXPECT_THAT(registry.expose(), HasSubstr("penstock_ack_seconds_bucket{le=\"0.001\"} 1\n"));
}

TEST(Registry, MergesHistogramsOfManyThreadsAndLabels) {
  Registry registry;
  registry.histogram("penstock_ack_seconds", "Time.", {{"stage", "sync"}}).record(milliseconds(1));
  registry.histogram("penstock_ack_seconds", "Time.", {{"stage", "sync"}}).record(milliseconds(2));
  registry.histogram("penstock_ack_seconds", "Time.", {{"stage", "parse"}}).record(milliseconds(3));

  EXPECT_EQ(registry.histogram_snapshot("penstock_ack_seconds", {{"stage", "sync"}}).count(), 2u);
  EXPECT_EQ(registry.histogram_snapshot("penstock_ack_seconds").count(), 3u);
  EXPECT_EQ(registry.histogram_snapshot("penstock_unknown").count(), 0u);
}

TEST(Registry, AsksCallbacksForTheirValueUntilTheGuardIsGone) {
  Registry registry;
  double lag = 5;
  {
    const CallbackGuard guard = registry.gauge_callback("penstock_lag_records", "Lag.",
                                                        {{"topic", "web"}}, [&] { return lag; });
    EXPECT_EQ(registry.value("penstock_lag_records", {{"topic", "web"}}), 5);
    lag = 6;
    EXPECT_THAT(registry.expose(), HasSubstr("penstock_lag_records{topic=\"web\"} 6\n"));
  }

  EXPECT_EQ(registry.value("penstock_lag_records", {{"topic", "web"}}), std::nullopt);
  EXPECT_THAT(registry.expose(), Not(HasSubstr("topic=\"web\"")));
}

TEST(Registry, KeepsACallbackWhenItsGuardIsMoved) {
  Registry registry;
  CallbackGuard kept;
  {
    CallbackGuard first =
        registry.counter_callback("penstock_syncs_total", "Syncs.", {}, [] { return 2.0; });
    kept = std::move(first);
  }

  EXPECT_EQ(registry.value("penstock_syncs_total"), 2);
}

TEST(RegistryDeathTest, RefusesOneNameWithTwoTypesOrTexts) {
  Registry registry;
  registry.counter("penstock_x_total", "X.").add(1);

  EXPECT_DEATH(static_cast<void>(registry.gauge("penstock_x_total", "X.")), "I1|type");
  EXPECT_DEATH(static_cast<void>(registry.counter("penstock_x_total", "Y.")), "help");
  EXPECT_DEATH(static_cast<void>(registry.counter("penstock-x", "X.")), "is_legal_name");
}

}  // namespace
}  // namespace penstock::telemetry
