#include "sinks/postgres/sql_state.h"

#include <gtest/gtest.h>

namespace penstock::sinks {
namespace {

TEST(SqlState, TellsRefusedDataFromWhatMayPass) {
  for (const char* refused : {"22001", "22003", "22021", "22P02", "22P05", "23502", "23503",
                              "23505", "23514", "23P01", "44000", "54000", "P0001"}) {
    EXPECT_EQ(code_of_sql_state(refused), ErrorCode::kInvalid) << refused;
  }
  for (const char* may_pass :
       {"", "08006", "22P03", "22P04", "25P03", "40001", "40P01", "42501", "42703", "42P01",
        "42P10", "53100", "53300", "55P03", "57014", "57P01", "57P03", "58030", "XX000"}) {
    EXPECT_EQ(code_of_sql_state(may_pass), ErrorCode::kRetry) << may_pass;
  }
}

}  // namespace
}  // namespace penstock::sinks
