#include "penstock/bench/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "core/json_writer.h"
#include "core/units.h"

namespace penstock::bench {

namespace {

double per(double amount, double count) {
  return count > 0 ? amount / count : 0;
}

double ns_per_event(std::chrono::nanoseconds time, const Report& report) {
  return per(static_cast<double>(time.count()), static_cast<double>(report.totals.events));
}

// Three decimals are more than what is measured.
double rounded(double value) {
  return static_cast<double>(std::llround(value * 1000)) / 1000;
}

void write_optional(JsonWriter& json, std::string_view name, const std::optional<double>& value) {
  json.key(name);
  if (value) {
    json.value(rounded(*value));
  } else {
    json.null();
  }
}

void write_quantiles(JsonWriter& json, std::string_view name,
                     const std::optional<Quantiles>& quantiles) {
  json.key(name);
  if (!quantiles) {
    json.null();
    return;
  }
  json.begin_object().key("p50").value(rounded(quantiles->p50_ms));
  json.key("p99").value(rounded(quantiles->p99_ms));
  json.key("p999").value(rounded(quantiles->p999_ms)).end_object();
}

void write_disk(JsonWriter& json, const Report& report) {
  const auto& disk = report.disk;
  write_optional(json, "disk_mb_per_second_durable",
                 disk ? std::optional(disk->mb_per_second_durable) : std::nullopt);
  write_optional(json, "disk_sync_ms_p50", disk ? std::optional(disk->sync_ms_p50) : std::nullopt);
  write_optional(json, "log_bytes_per_event", report.log_bytes_per_event());
  write_optional(json, "log_mb_per_second", report.log_mb_per_second());
}

void write_conditions(JsonWriter& json, const Report& report) {
  const BenchOptions& options = report.options;
  json.key("conditions").begin_object();
  json.key("cpus").value(report.cpu_count).key("kernel").value(report.kernel);
  json.key("seconds").value(options.seconds).key("event_bytes").value(options.event_bytes);
  json.key("request_bytes").value(options.request_bytes).key("keys").value(options.keys);
  json.key("zipf").value(options.zipf).key("rate").value(options.rate);
  json.key("connections").value(options.connections).key("pipeline").value(options.pipeline);
  json.key("partitions").value(options.partitions);
  json.key("own_server").value(options.url.empty());
  json.key("ack_counted_from").value(options.rate > 0 ? "scheduled send" : "actual send");
  json.end_object();
}

void write_totals(JsonWriter& json, const Totals& totals) {
  json.key("events").value(totals.events).key("requests").value(totals.requests);
  json.key("bytes").value(totals.bytes).key("duplicates").value(totals.duplicates);
  json.key("dead_lettered").value(totals.dead_lettered);
  json.key("errors").begin_object().key("refused").value(totals.refused);
  json.key("failed").value(totals.failed).key("unknown").value(totals.unknown);
  json.key("unsent").value(totals.unsent).key("first").value(totals.first_problem).end_object();
}

template <typename... Args>
std::string format(const char* pattern, Args... args) {
  std::array<char, 256> text;
  const int size = std::snprintf(text.data(), text.size(), pattern, args...);
  return {text.data(), std::min(static_cast<std::size_t>(std::max(size, 0)), text.size() - 1)};
}

std::string text_of(const Quantiles& q) {
  return format("p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms", q.p50_ms, q.p99_ms, q.p999_ms);
}

std::string text_of_disk(const Report& report) {
  std::string text;
  if (report.log_bytes) {
    text += format("  log         %.1f MB/s, %.0f bytes per event\n", *report.log_mb_per_second(),
                   *report.log_bytes_per_event());
  }
  if (report.disk) {
    text += format("  disk        %.1f MB/s by itself, durable; %.2f ms to sync (p50)\n",
                   report.disk->mb_per_second_durable, report.disk->sync_ms_p50);
  }
  return text;
}

}  // namespace

Quantiles quantiles_of(const telemetry::HistogramSnapshot& latency) {
  const auto ms = [&](double q) {
    return std::chrono::duration<double, std::milli>(latency.quantile(q)).count();
  };
  return {.p50_ms = ms(0.5), .p99_ms = ms(0.99), .p999_ms = ms(0.999)};
}

double Report::events_per_second() const {
  return per(static_cast<double>(totals.events), processed_seconds);
}

std::optional<double> Report::log_bytes_per_event() const {
  return log_bytes ? std::optional(
                         per(static_cast<double>(*log_bytes), static_cast<double>(totals.events)))
                   : std::nullopt;
}

std::optional<double> Report::log_mb_per_second() const {
  return log_bytes ? std::optional(per(static_cast<double>(*log_bytes) / 1e6, processed_seconds))
                   : std::nullopt;
}

std::string to_json(const Report& report) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("events_per_second").value(std::llround(report.events_per_second()));
  json.key("acknowledged_per_second")
      .value(std::llround(per(static_cast<double>(report.totals.events), report.send_seconds)));
  json.key("counts_exact").value(report.counts_exact());
  json.key("accepted").value(report.totals.events).key("in_log").value(report.in_log);
  json.key("in_store").value(report.in_store);
  write_quantiles(json, "ack_ms", report.ack_ms);
  write_quantiles(json, "processed_ms", report.processed_ms);
  write_optional(
      json, "server_cpu_ns_per_event",
      report.server_cpu ? std::optional(ns_per_event(*report.server_cpu, report)) : std::nullopt);
  json.key("client_cpu_ns_per_event").value(rounded(ns_per_event(report.client_cpu, report)));
  json.key("rss_bytes");
  if (report.rss_bytes_max) {
    json.value(*report.rss_bytes_max);
  } else {
    json.null();
  }
  write_disk(json, report);
  json.key("seconds").value(rounded(report.send_seconds));
  json.key("processed_seconds").value(rounded(report.processed_seconds));
  write_totals(json, report.totals);
  write_conditions(json, report);
  json.end_object();
  text += '\n';
  return text;
}

std::string to_text(const Report& report) {
  const Totals& totals = report.totals;
  std::string text;
  text += format("%.0f events/s through the whole pipeline, %.0f events/s acknowledged\n",
                 report.events_per_second(),
                 per(static_cast<double>(totals.events), report.send_seconds));
  text += format("  events      %llu in %llu requests, %s in %.1f s\n",
                 static_cast<unsigned long long>(totals.events),
                 static_cast<unsigned long long>(totals.requests),
                 format_bytes(totals.bytes).c_str(), report.send_seconds);
  text += "  ack         " + text_of(report.ack_ms) +
          (report.options.rate > 0 ? " from the scheduled time\n" : " from the sending\n");
  if (report.processed_ms) {
    text += "  processed   " + text_of(*report.processed_ms) + " from acceptance\n";
  }
  if (report.server_cpu) {
    text += format("  server CPU  %.0f ns per event\n", ns_per_event(*report.server_cpu, report));
  }
  text += format("  client CPU  %.0f ns per event\n", ns_per_event(report.client_cpu, report));
  if (report.rss_bytes_max) {
    text += "  server RSS  " + format_bytes(*report.rss_bytes_max) + " at most\n";
  }
  text += text_of_disk(report);
  if (!report.all_answered()) {
    text += format("  NOT DONE    %llu refused, %llu failed, %llu unknown, %llu never sent: ",
                   static_cast<unsigned long long>(totals.refused),
                   static_cast<unsigned long long>(totals.failed),
                   static_cast<unsigned long long>(totals.unknown),
                   static_cast<unsigned long long>(totals.unsent)) +
            totals.first_problem + "\n";
  }
  text += format("  counts      %s: %llu accepted, %llu in the log, %llu counted\n",
                 report.counts_exact() ? "exact" : "NOT EXACT",
                 static_cast<unsigned long long>(totals.events),
                 static_cast<unsigned long long>(report.in_log),
                 static_cast<unsigned long long>(report.in_store));
  return text;
}

}  // namespace penstock::bench
