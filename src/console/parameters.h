// Parameters reads the query string of a request and refuses what cannot be meant: unknown or
// repeated names, malformed numbers and times. Each refusal names the parameter.
//
// Errors    kInvalid  one sentence for the client
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "record/types.h"

namespace penstock::console {

class Parameters {
 public:
  // `query` is what stands behind the '?'. An empty value counts as absent.
  [[nodiscard]] static Result<Parameters> parse(std::string_view query,
                                                std::initializer_list<std::string_view> known);

  [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const;

  [[nodiscard]] Result<std::optional<std::int64_t>> integer(std::string_view name, std::int64_t min,
                                                            std::int64_t max) const;

  // RFC 3339 or milliseconds since the epoch.
  [[nodiscard]] Result<std::optional<Timestamp>> time(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

// All of `text` as a decimal number.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace penstock::console
