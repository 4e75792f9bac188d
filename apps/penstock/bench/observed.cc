#include "penstock/bench/observed.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "penstock/bench/answer_parser.h"

namespace penstock::bench {

namespace {

constexpr std::string_view kLogBytesMetric = "penstock_log_bytes_total";
constexpr std::string_view kLatencyMetric = "penstock_engine_latency_seconds_quantile";

// What stands between `from` and the next `to` behind it; empty if it is not there.
std::string_view between(std::string_view text, std::string_view from, std::string_view to) {
  const std::size_t begin = text.find(from);
  if (begin == std::string_view::npos) {
    return {};
  }
  text.remove_prefix(begin + from.size());
  return text.substr(0, text.find(to));
}

}  // namespace

std::uint64_t sum_after(std::string_view text, std::string_view name) {
  std::uint64_t sum = 0;
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name)) {
    text.remove_prefix(at);
    sum += number_after(text, name).value_or(0);
    text.remove_prefix(name.size());
  }
  return sum;
}

std::optional<double> metric_value(std::string_view page, std::string_view name_and_labels) {
  const std::string line_start = "\n" + std::string(name_and_labels) + " ";
  const std::string_view text = between(page, line_start, "\n");
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

Observed::Observed(net::HttpClient client, std::string topic, std::string store)
    : client_(std::move(client)), topic_(std::move(topic)), store_(std::move(store)) {}

Result<std::string> Observed::get(const std::string& target) {
  PENSTOCK_TRY_ASSIGN(net::ClientResponse response, client_.get(target));
  if (response.status != 200) {
    return Error(ErrorCode::kFatal, "GET " + target + " was answered " +
                                        std::to_string(response.status) + ": " + response.body);
  }
  return std::move(response.body);
}

bool Observed::is_ready() {
  const Result<net::ClientResponse> response = client_.get("/health/ready");
  return response && response->status == 200;
}

Result<std::uint64_t> Observed::log_end() {
  PENSTOCK_TRY_ASSIGN(const std::string body, get("/v1/topics/" + topic_));
  return sum_after(body, "\"end\":");
}

Result<std::uint64_t> Observed::processed_end() {
  PENSTOCK_TRY_ASSIGN(const std::string body, get("/v1/stores/" + store_ + "/nobody"));
  // Of a key that nobody has, because that is found fast.
  // {"complete_to":{"bench":{"0":17,"1":12}}}
  const std::string of_topic = "\"" + topic_ + "\":{";
  const std::size_t at = body.rfind("\"complete_to\":");
  if (at == std::string::npos) {
    return Error(ErrorCode::kFatal, "the answer about the store does not say how complete it is");
  }
  return sum_after(between(std::string_view(body).substr(at), of_topic, "}"), "\":");
}

Result<std::uint64_t> Observed::counted(const std::vector<std::int64_t>& bounds) {
  std::uint64_t sum = 0;
  std::string from;
  for (const std::int64_t bound : bounds) {
    const std::string text = std::to_string(bound);
    std::string range = from;
    range.append("&to=").append(text);
    PENSTOCK_TRY_ASSIGN(const std::uint64_t counted, counted_in(range));
    sum += counted;
    from = "&from=" + text;
  }
  PENSTOCK_TRY_ASSIGN(const std::uint64_t last, counted_in(from));
  return sum + last;
}

Result<std::uint64_t> Observed::counted_in(const std::string& range) {
  std::uint64_t sum = 0;
  std::string cursor;
  for (;;) {
    PENSTOCK_TRY_ASSIGN(const std::string body,
                        get("/v1/stores/" + store_ + "?limit=10000" + range +
                            (cursor.empty() ? "" : "&cursor=" + cursor)));
    sum += sum_after(body, "\"count\":");
    const std::size_t at = body.rfind("\"cursor\":");
    if (at == std::string::npos) {
      return Error(ErrorCode::kFatal, "the answer about the store has no cursor");
    }
    cursor = between(std::string_view(body).substr(at), "\"cursor\":\"", "\"");
    if (cursor.empty()) {
      return sum;
    }
  }
}

Result<std::optional<Quantiles>> Observed::processed_latency() {
  PENSTOCK_TRY_ASSIGN(const std::string page, get("/metrics"));
  const auto ms = [&](std::string_view quantile) {
    const std::string line = std::string(kLatencyMetric) + "{job=\"" + store_ + "\",quantile=\"" +
                             std::string(quantile) + "\"}";
    const std::optional<double> seconds = metric_value(page, line);
    return seconds ? std::optional(*seconds * 1000) : std::nullopt;
  };
  const auto p50 = ms("0.5");
  const auto p99 = ms("0.99");
  const auto p999 = ms("0.999");
  if (!p50 || !p99 || !p999) {
    return std::optional<Quantiles>();
  }
  return std::optional(Quantiles{*p50, *p99, *p999});
}

Result<std::optional<std::uint64_t>> Observed::log_bytes() {
  PENSTOCK_TRY_ASSIGN(const std::string page, get("/metrics"));
  const std::optional<double> bytes = metric_value(page, kLogBytesMetric);
  return bytes ? std::optional(static_cast<std::uint64_t>(*bytes)) : std::nullopt;
}

}  // namespace penstock::bench
