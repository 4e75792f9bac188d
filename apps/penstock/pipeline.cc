#include "penstock/pipeline.h"

#include <string>
#include <utility>
#include <vector>

#include "console/balance.h"
#include "console/console_api.h"
#include "console/health.h"
#include "console/worker.h"
#include "core/guarded.h"
#include "engine/streams.h"
#include "gateway/gateway.h"
#include "gateway/spilling_log.h"
#include "kafka/kafka_log.h"
#include "net/http_server.h"
#include "net/router.h"
#include "os/file_system.h"
#include "os/pause.h"
#include "os/process_stats.h"
#include "os/random.h"
#include "os/thread.h"
#include "penstock/archive_stores.h"
#include "penstock/kept_id.h"
#include "penstock/log_threads.h"
#include "penstock/pipeline_options.h"
#include "penstock/redis_options.h"
#include "penstock/spill_directory.h"
#include "sinks/archive/archive_sink.h"
#include "sinks/postgres/postgres_destination.h"
#include "sinks/postgres/table_queries.h"
#include "sinks/redis/redis_destination.h"
#include "sinks/runtime/sink_runner.h"
#include "sinks/sqlite/sqlite_destination.h"
#include "telemetry/registry.h"
#include "wal/embedded_log.h"

namespace penstock::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kIdleWait = 50ms;  // how long a loop with nothing to do sleeps before it looks again

}  // namespace

class Pipeline::Impl {
 public:
  Impl(const config::PipelineConfig& config, const Roles& roles, wal::OnDamage on_damage,
       const os::Clock& clock, telemetry::Logger& logger, std::function<bool()> interrupted)
      : config_(config),
        roles_(roles),
        on_damage_(on_damage),
        clock_(clock),
        logger_(logger),
        interrupted_(std::move(interrupted)),
        random_(os::random_seed()),
        archive_random_(random_.next()) {}

  ~Impl() {
    for (const auto& archive : archives_) {
      archive->sink->interrupt();
    }
    stop_queries();
    stop_sinks();
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status start() {
    export_process_stats();
    PENSTOCK_TRY(start_log());
    PENSTOCK_TRY(start_spill());
    PENSTOCK_TRY(start_gateway());
    PENSTOCK_TRY(start_streams());
    PENSTOCK_TRY(start_archives());
    PENSTOCK_TRY(start_sinks());
    PENSTOCK_TRY(start_queries());
    PENSTOCK_TRY(start_http());
    health_.set_phase(console::Phase::kRunning);
    return {};
  }

  std::uint16_t port() const { return http_->port(); }

  std::optional<Error> failure() const {
    return failure_.with([](const std::optional<Error>& failure) { return failure; });
  }

  Status stop(std::chrono::milliseconds time_max) {
    const os::TimePoint deadline = clock_.now() + time_max;
    health_.set_phase(console::Phase::kStopping);
    http_->begin_stop();
    if (!wait_until(deadline - time_max / 2, [&] { return http_->stopped(); })) {
      logger_.warn("http", "some connections were cut: they took too long to finish");
    }
    io_threads_.clear();
    gateway_thread_.reset();
    spill_thread_.reset();
    stop_queries();
    stop_streams(deadline - time_max / 4);
    stop_sinks();
    Status archived = stop_archives(deadline);
    worker_thread_.reset();
    log_threads_.reset();
    if (embedded_ != nullptr) {
      PENSTOCK_TRY(embedded_->close());
    }
    return archived;
  }

 private:
  void fail(const Error& error) {
    failure_.with([&](std::optional<Error>& failure) {
      if (!failure) {
        failure = error;
      }
    });
  }

  template <typename Condition>
  bool wait_until(os::TimePoint deadline, Condition condition) {
    while (!condition()) {
      if (clock_.now() >= deadline || failure()) {
        return false;
      }
      os::pause(2ms);
    }
    return true;
  }

  void export_process_stats() {
    stats_.push_back(metrics_.gauge_callback(
        "penstock_process_resident_memory_bytes", "Memory of this process.", {},
        [] { return static_cast<double>(os::process_stats().resident_bytes); }));
    stats_.push_back(metrics_.counter_callback("penstock_process_cpu_seconds_total",
                                               "Processor time of this process.", {},
                                               [] { return os::process_stats().cpu_seconds; }));
    stats_.push_back(metrics_.gauge_callback(
        "penstock_process_open_files", "Open files and sockets of this process.", {},
        [] { return static_cast<double>(os::process_stats().open_files); }));
  }

  void stop_streams(os::TimePoint deadline) {
    if (streams_ == nullptr) {
      return;
    }
    // What others have sent meanwhile is theirs to process; alone, we finish what there is.
    if (embedded_ != nullptr) {
      streams_->drain();
      if (!wait_until(deadline, [&] { return streams_->is_drained(); })) {
        logger_.warn("engine",
                     "stopped before all events were processed: the rest is at next start");
      }
    }
    stream_threads_.clear();
    for (engine::StreamThread* thread : streams_->threads()) {
      thread->close();
    }
  }

  Status start_log() { return config_.is_on_kafka() ? open_kafka() : open_embedded(); }

  Status open_kafka() {
    PENSTOCK_TRY_ASSIGN(const kafka::Options options, kafka_options(config_, *files_));
    PENSTOCK_TRY_ASSIGN(kafka_, kafka::open(options, clock_, metrics_, logger_));
    log_ = kafka_.get();
    logger_.info("log", "connected to Kafka", {{"servers", options.bootstrap_servers}});
    return {};
  }

  Status open_embedded() {
    wal::Options options = wal_options(config_);
    options.on_damage = on_damage_;
    PENSTOCK_TRY_ASSIGN(
        embedded_, wal::EmbeddedLog::open(std::move(options), *files_, clock_, random_, metrics_));
    log_ = embedded_.get();
    report_recovery();
    log_threads_ = std::make_unique<LogThreads>(*embedded_, "wal", "log", clock_, logger_,
                                                [this](const Error& error) { fail(error); });
    return {};
  }

  void report_recovery() {
    const wal::RecoveryReport& report = embedded_->recovery();
    logger_.info("log", "opened",
                 {{"segments", report.segments}, {"groups_scanned", report.groups_scanned}});
    if (report.torn_bytes > 0) {
      logger_.warn("log", "cut off a write that was never acknowledged",
                   {{"bytes", report.torn_bytes}});
    }
    for (const std::string& damage : report.damage_accepted) {
      logger_.error("log", damage);
    }
    for (const std::string& path : report.set_aside) {
      logger_.error("log", "set aside a damaged segment", {{"file", path}});
    }
    for (const std::string& offsets : report.lost_now) {
      logger_.error("log", "accepted as lost: " + offsets);
    }
    if (report.lost_records > 0) {
      logger_.warn("log", "some offsets are gone, because their loss was accepted",
                   {{"records_at_most", report.lost_records}});
    }
  }

  // Between the gateway and Kafka: while that is away, events wait here.
  Status start_spill() {
    if (!roles_.gateway || !config_.is_on_kafka() || !config_.spill.enabled) {
      return {};
    }
    PENSTOCK_TRY_ASSIGN(spill_, SpillDirectory::open(spill_options(config_),
                                                     {*files_, clock_, random_, metrics_, logger_},
                                                     [this](const Error& error) { fail(error); }));
    spilling_ = std::make_unique<gateway::SpillingLog>(*log_, *spill_, clock_, metrics_, logger_,
                                                       spilling_options(config_));
    // The window of known ids is read from the log: what was spilled before must be there first.
    while (!spilling_->is_ready()) {
      if (interrupted_()) {
        return Error(ErrorCode::kBusy,
                     "stopped while the spill was being shipped: the rest is at "
                     "the next start");
      }
      PENSTOCK_TRY_ASSIGN(const bool busy, spilling_->run_once());
      if (!busy) {
        spilling_->wait(kIdleWait);
      }
    }
    spill_thread_ = run_steps("spill", *spilling_, "the spill cannot be shipped");
    return {};
  }

  log::Log& gateway_log() {
    return spilling_ != nullptr ? static_cast<log::Log&>(*spilling_) : *log_;
  }

  Status start_gateway() {
    if (!roles_.gateway) {
      return {};
    }
    PENSTOCK_TRY_ASSIGN(gateway::GatewayOptions options, gateway_options(config_));
    PENSTOCK_TRY_ASSIGN(gateway_, gateway::Gateway::open(gateway_log(), clock_, metrics_, logger_,
                                                         std::move(options)));
    gateway_thread_ = run_steps("topics", *gateway_, "topics cannot be made");
    return {};
  }

  Status start_streams() {
    if (!roles_.streams) {
      return {};
    }
    PENSTOCK_TRY_ASSIGN(std::vector<engine::Job> declared, jobs(config_));
    PENSTOCK_TRY(start_balance(declared));
    engine::Streams::Options options = streams_options(config_);
    options.thread.hash_seed = random_.next();
    if (config_.is_on_kafka()) {
      PENSTOCK_TRY_ASSIGN(options.thread.instance, process_id());
    }
    PENSTOCK_TRY_ASSIGN(streams_, engine::Streams::open(*log_, clock_, metrics_, logger_,
                                                        std::move(declared), options));
    int number = 0;
    for (engine::StreamThread* thread : streams_->threads()) {
      stream_threads_.push_back(
          run_steps("stream-" + std::to_string(number++), *thread, "processing has failed"));
    }
    return {};
  }

  // A thread that takes step after step, and waits when there is nothing to do.
  template <typename Stepper>
  std::unique_ptr<os::Thread> run_steps(const std::string& name, Stepper& stepper,
                                        const char* failed) {
    return std::make_unique<os::Thread>(name, [this, &stepper, failed](const os::StopToken& stop) {
      while (!stop.requested()) {
        const auto busy = stepper.run_once();
        if (!busy) {
          fail(busy.error().with(failed));
          return;
        }
        if (!*busy) {
          stepper.wait(kIdleWait);
        }
      }
    });
  }

  // Tells this process from others that run the same jobs; it is kept, so that after a restart the
  // same partitions come back to it, and its transactions of before are ended.
  Result<std::string> process_id() {
    PENSTOCK_TRY(files_->create_directories(config_.log.data_dir));
    return kept_id(*files_, os::join_path(config_.log.data_dir, "process-id"), random_);
  }

  // Of a log that others write to, too, this process cannot keep the books.
  Status start_balance(const std::vector<engine::Job>& declared) {
    if (embedded_ == nullptr) {
      return {};
    }
    console::Balance::Options options;
    for (const engine::Job& job : declared) {
      options.jobs.push_back({job.name, job.topology.source_topics()});
    }
    PENSTOCK_TRY_ASSIGN(balance_, console::Balance::open(*log_, metrics_, std::move(options)));
    return {};
  }

  struct RunningArchive {
    std::string place;
    std::unique_ptr<sinks::ArchiveSink> sink;
  };

  Status start_archives() {
    if (!roles_.sink) {
      return {};
    }
    PENSTOCK_TRY_ASSIGN(auto stores,
                        archive_stores(config_, {*files_, clock_, archive_random_, metrics_}));
    for (auto& store : stores) {
      auto archive = std::make_unique<RunningArchive>();
      archive->place = store->place();
      PENSTOCK_TRY_ASSIGN(archive->sink, sinks::ArchiveSink::open(
                                             {*log_, *files_, metrics_, logger_}, std::move(store),
                                             archive_options(config_, *log_), clock_.now()));
      logger_.info("archive", "opened", {{"place", archive->place}});
      archives_.push_back(std::move(archive));
    }
    for (const auto& archive : archives_) {
      archive_threads_.push_back(std::make_unique<os::Thread>(
          "archive", [this, &sink = *archive->sink](const os::StopToken& stop) {
            while (!stop.requested()) {
              if (!step_archive(sink)) {
                sink.wait(kIdleWait);
              }
            }
          }));
    }
    return {};
  }

  // False if there was nothing to do. A file that failed is written again: nothing is lost.
  bool step_archive(sinks::ArchiveSink& sink) {
    const auto records = sink.run_once(clock_.now());
    if (records) {
      return *records > 0;
    }
    if (records.error().code() == ErrorCode::kFatal) {
      fail(records.error().with("the archive has failed"));
    } else {
      logger_.warn("archive", records.error().message());
    }
    return false;
  }

  Status stop_archives(os::TimePoint deadline) {
    // Whatever an S3 server does, the process ends in time.
    const os::Thread watch("archive-stop", [this, deadline](const os::StopToken& stop) {
      while (!stop.requested() && clock_.now() < deadline) {
        os::pause(10ms);
      }
      if (!stop.requested()) {
        for (const auto& archive : archives_) {
          archive->sink->interrupt();
        }
      }
    });
    archive_threads_.clear();
    Status stopped;
    for (const auto& archive : archives_) {
      const Status finished = finish_archive(*archive, deadline);
      stopped = stopped.has_value() ? finished : stopped;
    }
    return stopped;
  }

  Status finish_archive(RunningArchive& archive, os::TimePoint deadline) {
    sinks::ArchiveSink& sink = *archive.sink;
    Status requested = sink.request_finish(clock_.now());
    while (!sink.finished()) {
      if (clock_.now() >= deadline || failure()) {
        const Error error(ErrorCode::kBusy, "stopped before all events were archived in " +
                                                archive.place + "; the rest is at the next start");
        if (embedded_ != nullptr) {
          return error;
        }
        logger_.info("archive", error.message());  // of what others go on sending there is no end
        return {};
      }
      if (!step_archive(sink)) {
        sink.wait(1ms);
      }
    }
    return requested;
  }

  Status start_sinks() {
    if (!roles_.sink) {
      return {};
    }
    for (const config::PostgresSettings& settings : config_.postgres) {
      PENSTOCK_TRY_ASSIGN(auto options, postgres_options(settings, *files_));
      PENSTOCK_TRY_ASSIGN(auto destination,
                          sinks::PostgresDestination::make(clock_, random_, std::move(options)));
      add_sink(std::move(destination), sink_options(config_, settings));
    }
    for (const config::SqliteSettings& settings : config_.sqlite) {
      PENSTOCK_TRY_ASSIGN(auto destination,
                          sinks::SqliteDestination::make({clock_, *files_, random_},
                                                         sqlite_options(config_, settings)));
      add_sink(std::move(destination), sink_options(config_, settings));
    }
    for (const config::RedisSettings& settings : config_.redis) {
      PENSTOCK_TRY_ASSIGN(auto options, redis_options(settings, *files_));
      PENSTOCK_TRY_ASSIGN(auto destination,
                          sinks::RedisDestination::make(clock_, random_, std::move(options)));
      add_sink(std::move(destination), sink_options(config_, settings));
    }
    for (std::size_t i = 0; i < sinks_.size(); ++i) {
      sink_threads_.push_back(std::make_unique<os::Thread>(
          "sink-" + std::to_string(i), [this, i](const os::StopToken& stop) {
            while (!stop.requested() && step_sink(*sinks_[i]->runner)) {
            }
          }));
    }
    return {};
  }

  void add_sink(std::unique_ptr<sinks::Destination> destination,
                sinks::SinkRunner::Options options) {
    auto sink = std::make_unique<RunningSink>(random_.next());
    sink->runner = std::make_unique<sinks::SinkRunner>(
        sinks::SinkRunner::Surroundings{*log_, clock_, sink->random, metrics_, logger_},
        std::move(destination), std::move(options));
    sinks_.push_back(std::move(sink));
  }

  // False if it has stopped for good, which is of no concern to the others.
  bool step_sink(sinks::SinkRunner& sink) {
    const auto busy = sink.run_once();
    if (!busy) {
      logger_.error("sink", "stopped for good", {{"because", busy.error().message()}});
      return false;
    }
    if (!*busy) {
      sink.wait(kIdleWait);
    }
    return true;
  }

  // What a sink has not delivered is in the log: it goes on with it at the next start.
  void stop_sinks() {
    for (const auto& thread : sink_threads_) {
      thread->request_stop();
    }
    for (const auto& sink : sinks_) {
      sink->runner->interrupt();
    }
    sink_threads_.clear();
  }

  // Questions about the tables that sinks fill.
  Status start_queries() {
    if (!roles_.console) {
      return {};
    }
    PENSTOCK_TRY_ASSIGN(auto tables, table_options(config_, *files_));
    if (tables.empty()) {
      return {};
    }
    queries_ = std::make_unique<sinks::TableQueries>(*log_, clock_, std::move(tables));
    query_thread_ = std::make_unique<os::Thread>("queries", [this](const os::StopToken& stop) {
      while (!stop.requested()) {
        if (!queries_->run_once()) {
          queries_->wait(kIdleWait);
        }
      }
    });
    return {};
  }

  void stop_queries() {
    if (queries_ != nullptr) {
      queries_->interrupt();
    }
    query_thread_.reset();
  }

  Status start_http() {
    worker_ = std::make_unique<console::Worker>(*log_, clock_, console::Worker::Options{});
    worker_thread_ = std::make_unique<os::Thread>("console", [this](const os::StopToken& stop) {
      while (!stop.requested()) {
        worker_->wait(kIdleWait);
        worker_->run_once();
        if (balance_ == nullptr) {
          continue;
        }
        if (const Status taken = balance_->run_once(clock_.now()); !taken) {
          logger_.debug("console", "the balance was not taken",
                        {{"because", taken.error().message()}});
        }
      }
    });
    PENSTOCK_TRY_ASSIGN(net::HttpServer::Options options, http_options(config_));
    PENSTOCK_TRY_ASSIGN(
        http_, net::HttpServer::open(std::move(options), clock_, metrics_,
                                     [this](net::EventLoop& loop) { return make_routes(loop); }));
    for (std::size_t i = 0; i < http_->loop_count(); ++i) {
      io_threads_.push_back(std::make_unique<os::Thread>("io-" + std::to_string(i),
                                                         [this, i](const os::StopToken& stop) {
                                                           while (!stop.requested()) {
                                                             http_->run_once(i, kIdleWait);
                                                           }
                                                         }));
    }
    return {};
  }

  // One event loop's routes: what takes events, and what reads.
  std::unique_ptr<net::HttpHandler> make_routes(net::EventLoop& loop) {
    auto router = std::make_unique<net::Router>();
    if (gateway_ != nullptr) {
      gateway_->add_routes(*router, loop);
    }
    if (queries_ != nullptr) {
      queries_->add_routes(*router, loop);
    }
    console::add_routes(*router, loop, {gateway_log(), *worker_, streams_.get(), metrics_, health_},
                        {.version = PENSTOCK_VERSION,
                         .ingest = roles_.gateway,
                         .topics = roles_.console,
                         .dead_letter_replays_max =
                             static_cast<std::uint32_t>(config_.ingest.dead_letter_replays_max),
                         .shared = config_.is_on_kafka()});
    return router;
  }

  struct RunningSink {
    explicit RunningSink(std::uint64_t seed) : random(seed) {}

    os::SeededRandom random;
    std::unique_ptr<sinks::SinkRunner> runner;
  };

  const config::PipelineConfig config_;
  const Roles roles_;
  const wal::OnDamage on_damage_;
  const os::Clock& clock_;
  telemetry::Logger& logger_;
  const std::function<bool()> interrupted_;
  const std::unique_ptr<os::FileSystem> files_ = os::make_posix_file_system();
  os::SeededRandom random_;
  os::SeededRandom archive_random_;  // of the threads that archive
  telemetry::Registry metrics_;
  std::vector<telemetry::CallbackGuard> stats_;
  console::Health health_;
  Guarded<std::optional<Error>> failure_;

  // In order of start. Destroyed in reverse: threads before what they run.
  std::unique_ptr<wal::EmbeddedLog> embedded_;  // this one,
  std::unique_ptr<log::Log> kafka_;             // or this one, is
  log::Log* log_ = nullptr;
  std::unique_ptr<SpillDirectory> spill_;
  std::unique_ptr<gateway::SpillingLog> spilling_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<engine::Streams> streams_;
  std::vector<std::unique_ptr<RunningArchive>> archives_;
  std::vector<std::unique_ptr<RunningSink>> sinks_;
  std::unique_ptr<sinks::TableQueries> queries_;
  std::unique_ptr<console::Balance> balance_;
  std::unique_ptr<console::Worker> worker_;
  std::unique_ptr<net::HttpServer> http_;
  using Threads = std::vector<std::unique_ptr<os::Thread>>;
  std::unique_ptr<LogThreads> log_threads_;
  std::unique_ptr<os::Thread> spill_thread_;
  std::unique_ptr<os::Thread> gateway_thread_;
  std::unique_ptr<os::Thread> worker_thread_;
  std::unique_ptr<os::Thread> query_thread_;
  Threads archive_threads_;
  Threads sink_threads_;
  Threads stream_threads_;
  Threads io_threads_;
};

Pipeline::Pipeline(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Pipeline::~Pipeline() = default;

Result<std::unique_ptr<Pipeline>> Pipeline::start(const config::PipelineConfig& config,
                                                  const Roles& roles, wal::OnDamage on_damage,
                                                  const os::Clock& clock, telemetry::Logger& logger,
                                                  std::function<bool()> interrupted) {
  auto impl =
      std::make_unique<Impl>(config, roles, on_damage, clock, logger, std::move(interrupted));
  PENSTOCK_TRY(impl->start());
  return std::unique_ptr<Pipeline>(new Pipeline(std::move(impl)));
}

std::uint16_t Pipeline::port() const {
  return impl_->port();
}

std::optional<Error> Pipeline::failure() const {
  return impl_->failure();
}

Status Pipeline::stop(std::chrono::milliseconds time_max) {
  return impl_->stop(time_max);
}

}  // namespace penstock::app
