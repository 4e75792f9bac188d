#include "sinks/postgres/sql_state.h"

#include <algorithm>
#include <array>

namespace penstock::sinks {

ErrorCode code_of_sql_state(std::string_view state) {
  // How we write bytes that the table's types do not read: its definition has changed meanwhile.
  constexpr std::array<std::string_view, 2> kFormat = {"22P03", "22P04"};
  constexpr std::array<std::string_view, 3> kData = {"44000", "54000", "P0001"};
  if (std::find(kFormat.begin(), kFormat.end(), state) != kFormat.end()) {
    return ErrorCode::kRetry;
  }
  const bool refused = state.starts_with("22") || state.starts_with("23") ||
                       std::find(kData.begin(), kData.end(), state) != kData.end();
  return refused ? ErrorCode::kInvalid : ErrorCode::kRetry;
}

}  // namespace penstock::sinks
