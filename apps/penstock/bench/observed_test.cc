#include "penstock/bench/observed.h"

#include <gtest/gtest.h>

namespace penstock::bench {
namespace {

TEST(Observed, AddsUpANumberWhereverItsNameStands) {
  EXPECT_EQ(sum_after(R"({"a":[{"end":12,"x":1},{"end":30}]})", "\"end\":"), 42U);
  EXPECT_EQ(sum_after("", "\"end\":"), 0U);
  EXPECT_EQ(sum_after(R"({"ends":7})", "\"end\":"), 0U);
}

TEST(Observed, FindsAMetricByNameAndLabels) {
  const std::string_view page =
      "# HELP a_seconds Things.\n"
      "# TYPE a_seconds gauge\n"
      "a_seconds{job=\"x\",quantile=\"0.5\"} 0.25\n"
      "a_seconds{job=\"y\",quantile=\"0.5\"} 1.5e-05\n"
      "a_seconds_total 7\n";

  EXPECT_EQ(metric_value(page, "a_seconds{job=\"x\",quantile=\"0.5\"}"), 0.25);
  EXPECT_EQ(metric_value(page, "a_seconds{job=\"y\",quantile=\"0.5\"}"), 1.5e-05);
  EXPECT_EQ(metric_value(page, "a_seconds_total"), 7.0);
  EXPECT_EQ(metric_value(page, "a_seconds"), std::nullopt);
}

}  // namespace
}  // namespace penstock::bench
