#include "kafka/kafka_log.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/guarded.h"
#include "kafka/admin.h"
#include "kafka/appender.h"
#include "kafka/consumer.h"
#include "kafka/metrics.h"
#include "kafka/topic_directory.h"
#include "kafka/topic_settings.h"
#include "kafka/transactional_producer.h"
#include "log/topic_rules.h"
#include "os/pause.h"

namespace penstock::kafka {
namespace {

using log::TopicConfig;
using log::TopicInfo;

constexpr int kVersionMin = 0x020f0000;
static_assert(RD_KAFKA_VERSION >= kVersionMin, "librdkafka 2.15 or newer is needed");
constexpr std::chrono::milliseconds kPropagationStep{20};

class KafkaLog final : public log::Log {
 public:
  KafkaLog(const Options& options, const os::Clock& clock, telemetry::Registry& registry,
           telemetry::Logger& logger)
      : options_(options),
        clock_(clock),
        metrics_(registry),
        clients_{metrics_, logger},
        directory_(options_.prefix) {}

  Status start() {
    PENSTOCK_TRY_ASSIGN(appender_, Appender::open(options_, directory_, clients_));
    admin_.emplace(appender_->client(), options_);
    if (const Status topics = refresh(); !topics) {
      const std::string complaint = appender_->last_complaint();
      return topics.error().with(complaint.empty() ? "Kafka at " + options_.bootstrap_servers
                                                   : complaint);
    }
    return {};
  }

  Result<TopicInfo> ensure_topic(const TopicConfig& config) override {
    PENSTOCK_TRY(log::check_topic_config(config));
    const std::string name = directory_.kafka_name(config.name);
    PENSTOCK_TRY(log::check_topic_name(name));
    auto state = admin_->describe(name);
    if (!state && state.error().code() == ErrorCode::kNotFound) {
      const Status created =
          admin_->create(name, config.partition_count, settings_for_new_topic(config, options_));
      if (!created && created.error().code() != ErrorCode::kInvalid) {
        return created.error();
      }
      // Somebody else may have been quicker; then it is there, and is looked at.
      state = wait_for_leaders(name);
      if (!state) {
        return created ? state.error() : created.error();
      }
    }
    if (!state) {
      return state.error();
    }
    PENSTOCK_TRY_ASSIGN(const TopicConfig existing, config_of(*state, config.name));
    PENSTOCK_TRY(check_topic(existing, *state, config, options_));
    if (!(existing == config)) {
      PENSTOCK_TRY(admin_->change(name, retention_settings(config)));
    }
    return directory_.put(config);
  }

  Result<TopicInfo> topic(std::string_view name) const override {
    if (is_old()) {
      PENSTOCK_TRY(refresh());
    }
    const auto id = directory_.find(name);
    const auto known = id.has_value() ? directory_.find(*id) : std::nullopt;
    if (!known.has_value()) {
      return Error(ErrorCode::kNotFound, "there is no topic \"" + std::string(name) + "\"");
    }
    return *known;
  }

  // Where the brokers do not answer, what was known last.
  std::vector<TopicInfo> topics() const override {
    if (is_old()) {
      (void)refresh();
    }
    return directory_.all();
  }

  Status delete_topic(std::string_view name) override {
    const std::string kafka_name = directory_.kafka_name(name);
    const Status removed = admin_->remove(kafka_name);
    if (!removed) {
      return removed.error().code() == ErrorCode::kNotFound
                 ? Error(ErrorCode::kNotFound, "there is no topic \"" + std::string(name) + "\"")
                 : removed.error();
    }
    directory_.remove(name);
    return wait_until_gone(kafka_name);
  }

  Status delete_records(const std::vector<log::Consumer::Position>& before) override {
    std::vector<PlacedOffset> placed;
    for (const log::Consumer::Position& at : before) {
      PENSTOCK_TRY_ASSIGN(std::string topic, directory_.check(at.partition));
      const auto known = directory_.find(at.partition.topic);
      if (known.has_value()) {  // the brokers know the end
        PENSTOCK_TRY(log::check_deletion(known->config, at.offset, at.offset));
      }
      placed.push_back({std::move(topic), at.partition.partition.value(), at.offset.value(), {}});
    }
    return admin_->delete_records(placed);
  }

  Result<log::PartitionOffsets> offsets(TopicPartition partition) const override {
    PENSTOCK_TRY_ASSIGN(const std::vector<log::PartitionBounds> found, bounds({partition}));
    return log::PartitionOffsets{found.front().start, found.front().end};
  }

  Result<std::vector<log::PartitionBounds>> bounds(
      const std::vector<TopicPartition>& partitions) const override {
    std::vector<PlacedOffset> wanted;
    for (const TopicPartition partition : partitions) {
      PENSTOCK_TRY_ASSIGN(std::string topic, directory_.check(partition));
      wanted.push_back({std::move(topic), partition.partition.value(), 0, {}});
    }
    PENSTOCK_TRY_ASSIGN(const std::vector<PlacedBounds> found, admin_->bounds(wanted));
    std::vector<log::PartitionBounds> all;
    all.reserve(found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      all.push_back({partitions[i], Offset(found[i].start), Offset(found[i].end),
                     Offset(found[i].written_end)});
    }
    return all;
  }

  Result<Offset> written_end(TopicPartition partition) const override {
    return offset_at(partition, RD_KAFKA_OFFSET_SPEC_LATEST,
                     RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED);
  }

  Result<Offset> offset_for_time(TopicPartition partition, Timestamp timestamp) const override {
    PENSTOCK_TRY_ASSIGN(const Offset found,
                        offset_at(partition, std::max<std::int64_t>(timestamp.value(), 0)));
    return found.value() >= 0 ? Result<Offset>(found)
                              : offset_at(partition, RD_KAFKA_OFFSET_SPEC_LATEST);
  }

  Status append(std::vector<log::PartitionBatch> batches, log::AppendDone done) override {
    return appender_->append(std::move(batches), std::move(done));
  }

  Result<std::unique_ptr<log::TransactionalProducer>> open_transactional_producer(
      std::string_view transactional_id) override {
    PENSTOCK_TRY_ASSIGN(std::unique_ptr<KafkaProducer> producer,
                        KafkaProducer::open(options_, directory_, clock_, clients_,
                                            directory_.kafka_name(transactional_id)));
    return std::unique_ptr<log::TransactionalProducer>(std::move(producer));
  }

  Result<std::unique_ptr<log::Consumer>> open_consumer(log::ConsumerOptions options) override {
    PENSTOCK_TRY_ASSIGN(
        std::unique_ptr<KafkaConsumer> consumer,
        KafkaConsumer::open({options_, directory_, *admin_, clock_, clients_}, std::move(options)));
    return std::unique_ptr<log::Consumer>(std::move(consumer));
  }

  Result<std::vector<log::OffsetCommit>> committed(std::string_view group_id) const override {
    PENSTOCK_TRY_ASSIGN(std::vector<PlacedOffset> offsets,
                        admin_->committed(directory_.kafka_name(group_id), all_partitions()));
    std::vector<log::OffsetCommit> commits;
    for (PlacedOffset& at : offsets) {
      const auto name = directory_.name_of(at.topic);
      const auto known =
          name.has_value() ? topic(*name) : Result<TopicInfo>(Error(ErrorCode::kNotFound, ""));
      if (known) {
        commits.push_back(
            {{known->id, PartitionId(at.partition)}, Offset(at.offset), std::move(at.metadata)});
      } else if (known.error().code() != ErrorCode::kNotFound) {
        return known.error();
      }
    }
    return commits;
  }

  log::LogStatus status() const override { return appender_->status(); }

 private:
  [[nodiscard]] std::vector<PlacedOffset> all_partitions() const {
    std::vector<PlacedOffset> all;
    for (const TopicInfo& topic : topics()) {
      for (std::int32_t i = 0; i < topic.config.partition_count; ++i) {
        all.push_back({directory_.kafka_name(topic.config.name), i, 0, {}});
      }
    }
    return all;
  }

  [[nodiscard]] bool is_old() const {
    return refreshed_.with(
        [&](os::TimePoint at) { return clock_.now() - at >= options_.topic_age_max; });
  }

  Status refresh() const {
    PENSTOCK_TRY_ASSIGN(const std::vector<TopicState> states, admin_->describe_all());
    std::vector<TopicConfig> configs;
    for (const TopicState& state : states) {
      const auto name = directory_.name_of(state.name);
      PENSTOCK_CHECK(name.has_value());
      PENSTOCK_TRY_ASSIGN(TopicConfig config, config_of(state, *name));
      configs.push_back(std::move(config));
    }
    refreshed_.with([&](os::TimePoint& at) { at = clock_.now(); });
    directory_.put_all(configs);
    return {};
  }

  Result<Offset> offset_at(
      TopicPartition partition, std::int64_t what,
      rd_kafka_IsolationLevel_t isolation = RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED) const {
    PENSTOCK_TRY_ASSIGN(const std::string topic, directory_.check(partition));
    PENSTOCK_TRY_ASSIGN(
        const std::vector<PlacedOffset> found,
        admin_->list_offsets({{topic, partition.partition.value(), what, {}}}, isolation));
    if (found.size() != 1) {
      return Error(ErrorCode::kRetry, "no answer about the offsets of topic \"" + topic + "\"");
    }
    return Offset(found.front().offset);
  }

  // A topic that was made is known to one broker first.
  Result<TopicState> wait_for_leaders(const std::string& name) const {
    const os::TimePoint deadline = clock_.now() + options_.request_timeout;
    while (true) {
      auto state = admin_->describe(name);
      if ((state && state->has_leaders) || clock_.now() >= deadline) {
        return state;
      }
      if (!state && state.error().code() != ErrorCode::kNotFound &&
          state.error().code() != ErrorCode::kRetry) {
        return state.error();
      }
      os::pause(kPropagationStep);
    }
  }

  Status wait_until_gone(const std::string& name) const {
    const os::TimePoint deadline = clock_.now() + options_.request_timeout;
    while (true) {
      const auto state = admin_->describe(name);
      if (!state && state.error().code() == ErrorCode::kNotFound) {
        return {};
      }
      if (clock_.now() >= deadline) {
        return Error(ErrorCode::kRetry, "topic \"" + name + "\" is still being deleted");
      }
      os::pause(kPropagationStep);
    }
  }

  const Options options_;
  const os::Clock& clock_;
  Metrics metrics_;
  const Client::Shared clients_;
  mutable TopicDirectory directory_;
  mutable Guarded<os::TimePoint> refreshed_;
  std::unique_ptr<Appender> appender_;
  std::optional<Admin> admin_;
};

}  // namespace

Result<std::unique_ptr<log::Log>> open(const Options& options, const os::Clock& clock,
                                       telemetry::Registry& registry, telemetry::Logger& logger) {
  if (rd_kafka_version() < kVersionMin) {
    return Error(ErrorCode::kInvalid, std::string("librdkafka ") + rd_kafka_version_str() +
                                          " is too old for exactly once; 2.15 or newer is needed");
  }
  PENSTOCK_TRY(check_options(options));
  auto log = std::make_unique<KafkaLog>(options, clock, registry, logger);
  PENSTOCK_TRY(log->start());
  return std::unique_ptr<log::Log>(std::move(log));
}

}  // namespace penstock::kafka
