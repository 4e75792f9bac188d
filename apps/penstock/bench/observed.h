// Observed is the server as its HTTP interface shows it: how much is in the log, how far processing
// is, what the store holds, how long processing took.
//
// Threads   one object belongs to one thread.
// Errors    kRetry, kInvalid of net::HttpClient; kFatal where the answer is not the one expected
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "net/http_client.h"
#include "penstock/bench/report.h"

namespace penstock::bench {

class Observed {
 public:
  Observed(net::HttpClient client, std::string topic, std::string store);

  // True once GET /health/ready answers 200.
  [[nodiscard]] bool is_ready();

  // Sum of the end offsets of the topic's partitions.
  [[nodiscard]] Result<std::uint64_t> log_end();

  // Sum of the offsets up to which the store has counted.
  [[nodiscard]] Result<std::uint64_t> processed_end();

  // Sum of all counts in the store, by reading all of it: page by page, and window by window since
  // the server finds a page among all that it was asked for. `bounds` are ascending starts of
  // windows; what lies before the first and behind the last is read, too.
  [[nodiscard]] Result<std::uint64_t> counted(const std::vector<std::int64_t>& bounds);

  // From acceptance to the committed result, over everything since the server began; absent: the
  // server has no such metric.
  [[nodiscard]] Result<std::optional<Quantiles>> processed_latency();

  // What the log has written since the server began, padding and the engine's results included;
  // absent: the server has no such metric.
  [[nodiscard]] Result<std::optional<std::uint64_t>> log_bytes();

 private:
  [[nodiscard]] Result<std::string> get(const std::string& target);
  // What `range` (&from=...&to=...) holds.
  [[nodiscard]] Result<std::uint64_t> counted_in(const std::string& range);

  net::HttpClient client_;
  const std::string topic_;
  const std::string store_;
};

// Sum of the numbers that stand behind `name` in `text`, at every occurrence.
[[nodiscard]] std::uint64_t sum_after(std::string_view text, std::string_view name);

// The value of the metric line that begins with `name_and_labels`.
[[nodiscard]] std::optional<double> metric_value(std::string_view page,
                                                 std::string_view name_and_labels);

}  // namespace penstock::bench
