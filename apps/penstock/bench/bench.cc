#include "penstock/bench/bench.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "net/http_client.h"
#include "penstock/bench/generator.h"
#include "penstock/bench/observed.h"
#include "penstock/bench/own_server.h"
#include "penstock/bench/report.h"
#include "penstock/bench/workload.h"

namespace penstock::bench {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kReadyMax{30'000};
constexpr milliseconds kProcessedMax{120'000};
constexpr milliseconds kProgressInterval{1'000};

double seconds_between(os::TimePoint from, os::TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

nanoseconds own_cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto duration = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return duration(usage.ru_utime) + duration(usage.ru_stime);
}

// One run, step by step.
class Run {
 public:
  Run(const BenchOptions& options, std::string program, const os::Clock& clock,
      os::FileSystem& files)
      : options_(options), program_(std::move(program)), clock_(clock), files_(files) {}

  [[nodiscard]] Result<Report> run();

 private:
  [[nodiscard]] Status find_server();
  [[nodiscard]] Status start_server();
  [[nodiscard]] Status wait_until_ready();
  [[nodiscard]] Status prepare();
  [[nodiscard]] Status measure();
  [[nodiscard]] Status verify();
  [[nodiscard]] Status send();
  [[nodiscard]] Status wait_until_processed(std::uint64_t records);
  [[nodiscard]] std::vector<std::int64_t> windows_since(os::WallTime began) const;
  void show_progress(os::TimePoint now);
  void describe_machine();

  BenchOptions options_;
  const std::string program_;
  const os::Clock& clock_;
  os::FileSystem& files_;
  net::Url url_;
  std::unique_ptr<OwnServer> server_;
  std::optional<Observed> observed_;
  std::optional<Workload> workload_;
  std::unique_ptr<Generator> generator_;
  std::uint64_t log_before_ = 0;
  std::uint64_t counted_before_ = 0;
  os::WallTime began_;
  os::TimePoint started_at_;
  std::uint64_t shown_events_ = 0;
  os::TimePoint shown_at_;
  Report report_;
};

Status Run::find_server() {
  if (options_.url.empty()) {
    PENSTOCK_TRY(start_server());
  }
  net::HttpClient client({.host = url_.host, .port = url_.port});
  observed_.emplace(std::move(client), kTopic, kStore);
  return wait_until_ready();
}

Status Run::start_server() {
  PENSTOCK_TRY_ASSIGN(server_, OwnServer::start(options_, program_, clock_, files_));
  url_.port = server_->port();
  report_.disk = server_->disk();
  return {};
}

Status Run::wait_until_ready() {
  const os::TimePoint deadline = clock_.now() + kReadyMax;
  while (!observed_->is_ready()) {
    if (server_ == nullptr) {
      return Error(ErrorCode::kRetry, "no server is ready at " + options_.url);
    }
    if (server_->process().wait(milliseconds(20))) {
      return Error(ErrorCode::kFatal, "the server ended before it was ready; it says why above");
    }
    if (clock_.now() >= deadline) {
      return Error(ErrorCode::kFatal, "the server was not ready within 30 s");
    }
  }
  return {};
}

void Run::show_progress(os::TimePoint now) {
  if (options_.json) {
    return;
  }
  const Totals& totals = generator_->totals();
  const double rate =
      static_cast<double>(totals.events - shown_events_) / seconds_between(shown_at_, now);
  const Quantiles ack = quantiles_of(generator_->latency());
  const std::uint64_t problems = totals.refused + totals.failed + totals.unknown;
  std::printf("%5.0f s  %11.0f events/s  ack p50 %8.2f ms  p99 %8.2f ms  errors %llu\n",
              seconds_between(started_at_, now), rate, ack.p50_ms, ack.p99_ms,
              static_cast<unsigned long long>(problems));
  std::fflush(stdout);
  shown_events_ = totals.events;
  shown_at_ = now;
}

Status Run::send() {
  started_at_ = clock_.now();
  shown_at_ = started_at_;
  generator_->start(started_at_);
  while (!generator_->finished()) {
    PENSTOCK_TRY(generator_->run_once(milliseconds(100)));
    const os::TimePoint now = clock_.now();
    if (now - shown_at_ >= kProgressInterval) {
      show_progress(now);
    }
  }
  return {};
}

Status Run::wait_until_processed(std::uint64_t records) {
  const os::TimePoint deadline = clock_.now() + kProcessedMax;
  for (;;) {
    PENSTOCK_TRY_ASSIGN(const std::uint64_t processed, observed_->processed_end());
    if (processed >= records) {
      return {};
    }
    if (clock_.now() >= deadline) {
      return Error(ErrorCode::kFatal, std::to_string(records - processed) + " of " +
                                          std::to_string(records) +
                                          " records were not processed within two minutes");
    }
  }
}

void Run::describe_machine() {
  utsname names{};
  if (uname(&names) == 0) {
    report_.kernel = std::string(names.sysname) + " " + names.release;
  }
  report_.cpu_count = static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
}

Status Run::prepare() {
  PENSTOCK_TRY_ASSIGN(url_,
                      net::parse_url(options_.url.empty() ? "http://127.0.0.1" : options_.url));
  if (url_.tls) {
    return Error(ErrorCode::kInvalid, "the load generator speaks plain HTTP: no https:// URL");
  }
  PENSTOCK_TRY_ASSIGN(Workload workload, Workload::create({.topic = kTopic,
                                                           .host = url_.host,
                                                           .event_bytes = options_.event_bytes,
                                                           .request_bytes = options_.request_bytes,
                                                           .keys = options_.keys,
                                                           .zipf = options_.zipf}));
  workload_.emplace(std::move(workload));
  if (options_.connections == 0) {
    options_.connections = default_connections(options_);
  }
  PENSTOCK_TRY(check_memory(options_));
  report_.options = options_;
  PENSTOCK_TRY(find_server());
  PENSTOCK_TRY_ASSIGN(log_before_, observed_->log_end());
  PENSTOCK_TRY_ASSIGN(counted_before_, observed_->counted(windows_since(clock_.wall_now())));
  PENSTOCK_TRY_ASSIGN(generator_,
                      Generator::open({.host = url_.host,
                                       .port = url_.port,
                                       .connections = options_.connections,
                                       .pipeline = options_.pipeline,
                                       .events_per_second = options_.rate,
                                       .duration = std::chrono::duration_cast<nanoseconds>(
                                           std::chrono::duration<double>(options_.seconds))},
                                      *workload_, clock_));
  return {};
}

Status Run::measure() {
  nanoseconds server_cpu_before{0};
  if (server_ != nullptr) {
    PENSTOCK_TRY_ASSIGN(server_cpu_before, server_->process().cpu_time());
  }
  const nanoseconds own_cpu_before = own_cpu_time();
  PENSTOCK_TRY_ASSIGN(const std::optional<std::uint64_t> log_bytes_before, observed_->log_bytes());
  began_ = clock_.wall_now();
  PENSTOCK_TRY(send());
  report_.client_cpu = own_cpu_time() - own_cpu_before;
  report_.totals = generator_->totals();
  report_.send_seconds = seconds_between(started_at_, generator_->last_answer_at());
  report_.ack_ms = quantiles_of(generator_->latency());

  PENSTOCK_TRY_ASSIGN(const std::uint64_t log_end, observed_->log_end());
  report_.in_log = log_end - log_before_;
  PENSTOCK_TRY(wait_until_processed(log_end));
  report_.processed_seconds = seconds_between(started_at_, clock_.now());
  PENSTOCK_TRY_ASSIGN(report_.processed_ms, observed_->processed_latency());
  PENSTOCK_TRY_ASSIGN(const std::optional<std::uint64_t> log_bytes, observed_->log_bytes());
  if (log_bytes && log_bytes_before) {
    report_.log_bytes = *log_bytes - *log_bytes_before;
  }
  if (server_ != nullptr) {
    PENSTOCK_TRY_ASSIGN(const nanoseconds server_cpu, server_->process().cpu_time());
    report_.server_cpu = server_cpu - server_cpu_before;
    PENSTOCK_TRY_ASSIGN(report_.rss_bytes_max, server_->process().rss_bytes_max());
  }
  return {};
}

Status Run::verify() {
  PENSTOCK_TRY_ASSIGN(const std::uint64_t counted, observed_->counted(windows_since(began_)));
  report_.in_store = counted - counted_before_;
  return {};
}

// The windows' bounds from a little before `began` until now.
std::vector<std::int64_t> Run::windows_since(os::WallTime began) const {
  constexpr std::int64_t kWindowMs = 10'000;
  std::vector<std::int64_t> bounds;
  const std::int64_t first = began.time_since_epoch().count() / kWindowMs * kWindowMs;
  const std::int64_t last = clock_.wall_now().time_since_epoch().count();
  for (std::int64_t bound = first; bound <= last + kWindowMs; bound += kWindowMs) {
    bounds.push_back(bound);
  }
  return bounds;
}

Result<Report> Run::run() {
  describe_machine();
  PENSTOCK_TRY(prepare());
  PENSTOCK_TRY(measure());
  PENSTOCK_TRY(verify());
  return std::move(report_);
}

}  // namespace

int run_bench(const BenchOptions& options, const std::string& program, const os::Clock& clock,
              os::FileSystem& files) {
  // Not by a link: the server's process shall have the program's name.
  std::error_code unresolved;
  const std::filesystem::path resolved = std::filesystem::canonical(program, unresolved);
  const Result<Report> report =
      Run(options, unresolved ? program : resolved.string(), clock, files).run();
  if (!report) {
    std::fprintf(stderr, "penstock bench: %s\n", report.error().message().c_str());
    return report.error().code() == ErrorCode::kInvalid ? 2 : 1;
  }
  const std::string text = options.json ? to_json(*report) : to_text(*report);
  std::fputs(text.c_str(), stdout);
  if (!report->counts_exact()) {
    std::fprintf(stderr, "penstock bench: the counts are not exact\n");
  }
  return report->counts_exact() && report->all_answered() ? 0 : 1;
}

}  // namespace penstock::bench
