#include "metrics/metrics.h"

#include <gtest/gtest.h>

#include "testdriver/topology_test_driver.h"

namespace metrics {
namespace {

using penstock::Timestamp;
using penstock::dsl::Windowed;
using penstock::testdriver::TopologyTestDriver;

TEST(Metrics, LateMeasurementsCorrectTheLiveFiguresAndTheFinalOnesComeOnce) {
  const auto topology = make_topology();
  ASSERT_TRUE(topology.has_value());
  TopologyTestDriver driver(*topology);
  auto measurements = driver.create_input_topic<std::string, Measurement>("measurements");
  auto live = driver.create_output_topic<Windowed<std::string>, Figures>("live");
  auto final_figures = driver.create_output_topic<Windowed<std::string>, Figures>("final");

  measurements.pipe_input("checkout", Measurement{120, false}, Timestamp(10'000));
  measurements.pipe_input("checkout", Measurement{80, false}, Timestamp(70'000));
  measurements.pipe_input("checkout", Measurement{900, true}, Timestamp(59'000));  // late, in time
  EXPECT_TRUE(final_figures.is_empty());
  measurements.pipe_input("checkout", Measurement{100, false}, Timestamp(180'000));
  measurements.pipe_input("checkout", Measurement{1, false}, Timestamp(30'000));  // too late

  const auto updates = live.read_records();
  ASSERT_EQ(updates.size(), 4U);
  EXPECT_EQ(updates[0].value, (Figures{1, 0, 120, 120}));
  EXPECT_EQ(updates[2].value, (Figures{2, 1, 900, 1020}));
  EXPECT_EQ(updates[2].key->window.start, Timestamp(0));
  const auto closed = final_figures.read_records();
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].value, (Figures{2, 1, 900, 1020}));
  EXPECT_EQ(driver.counts().late, 1U);
}

}  // namespace
}  // namespace metrics
