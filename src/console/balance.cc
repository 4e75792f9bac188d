#include "console/balance.h"

#include <algorithm>

#include "record/dead_letter.h"

namespace penstock::console {

namespace {

// The topics that the gateway writes to are those that have a dead letter topic, and these. A job's
// output has one, too, once a sink's destination has refused something of it.
bool takes_events(const log::Log& log, const std::vector<Balance::Job>& jobs,
                  const std::string& topic) {
  const bool is_output = std::any_of(jobs.begin(), jobs.end(),
                                     [&](const Balance::Job& job) { return job.name == topic; });
  return is_dead_letter_topic(topic) ||
         (!is_output && log.topic(dead_letter_topic(topic)).has_value());
}

std::string without_dead_letter_ending(const std::string& topic) {
  return topic.substr(0, topic.size() - dead_letter_topic("").size());
}

std::int64_t at(const std::map<std::pair<std::string, std::string>, std::int64_t>& figures,
                const std::pair<std::string, std::string>& place) {
  const auto found = figures.find(place);
  return found == figures.end() ? 0 : found->second;
}

}  // namespace

Result<std::unique_ptr<Balance>> Balance::open(const log::Log& log, telemetry::Registry& registry,
                                               Options options) {
  std::unique_ptr<Balance> balance(new Balance(log, registry, std::move(options)));
  PENSTOCK_TRY_ASSIGN(balance->base_, balance->read_log());
  balance->last_ = balance->base_;
  return balance;
}

Status Balance::run_once(os::TimePoint now) {
  if (read_at_.has_value() && now - *read_at_ < options_.interval) {
    return {};
  }
  read_at_ = now;
  Figures low;  // for places that are new since the last reading 0 will do
  for (const auto& [place, figure] : last_.at) {
    low[place] = least(place);
  }
  PENSTOCK_TRY_ASSIGN(LogReading reading, read_log());
  Figures imbalance;
  for (const auto& [place, figure] : reading.at) {
    const std::int64_t growth = figure - at(base_.at, place);
    imbalance[place] = std::max(at(low, place) - growth, growth - most(place));
    imbalance[place] = std::max<std::int64_t>(imbalance[place], 0);
  }
  show(reading, imbalance);
  last_ = std::move(reading);
  return {};
}

// Jobs before topics: what a job has committed is then never ahead of a topic's end.
Result<Balance::LogReading> Balance::read_log() const {
  LogReading reading;
  for (const Job& job : options_.jobs) {
    PENSTOCK_TRY(read_job(job, reading));
  }
  PENSTOCK_TRY(read_topics(reading));
  return reading;
}

Status Balance::read_job(const Job& job, LogReading& reading) const {
  PENSTOCK_TRY_ASSIGN(const std::vector<log::OffsetCommit> committed, log_.committed(job.name));
  for (const std::string& name : job.topics) {
    const auto topic = log_.topic(name);
    if (!topic) {
      continue;  // the engine makes it later
    }
    const Place place(job.name, name);
    reading.at[place] = 0;
    reading.done[place] = 0;
    for (std::int32_t number = 0; number < topic->config.partition_count; ++number) {
      const TopicPartition partition{topic->id, PartitionId(number)};
      const auto commit = std::find_if(
          committed.begin(), committed.end(),
          [&](const log::OffsetCommit& found) { return found.partition == partition; });
      if (commit != committed.end()) {
        reading.at[place] += commit->next_offset.value();
        reading.done[place] += commit->next_offset.value();
      } else {
        PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log_.offsets(partition));
        reading.done[place] += offsets.start.value();
      }
    }
  }
  return {};
}

Status Balance::read_topics(LogReading& reading) const {
  for (const log::TopicInfo& topic : log_.topics()) {
    std::int64_t end = 0;
    for (std::int32_t number = 0; number < topic.config.partition_count; ++number) {
      const TopicPartition partition{topic.id, PartitionId(number)};
      PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log_.offsets(partition));
      end += offsets.end.value();
    }
    const Place place("", topic.config.name);
    reading.ends[place] = end;
    if (takes_events(log_, options_.jobs, topic.config.name)) {
      reading.at[place] = end;
    }
  }
  return {};
}

std::int64_t Balance::counted(const char* name, telemetry::Labels labels) const {
  return static_cast<std::int64_t>(registry_.value(name, std::move(labels)).value_or(0));
}

std::int64_t Balance::least(const Place& place) const {
  const auto& [job, topic] = place;
  if (!job.empty()) {
    return counted("penstock_engine_transaction_records_total",
                   {{"job", job}, {"topic", topic}, {"stage", "committed"}});
  }
  if (is_dead_letter_topic(topic)) {
    return counted("penstock_ingest_events_total",
                   {{"topic", without_dead_letter_ending(topic)}, {"outcome", "dead_lettered"}}) +
           counted("penstock_sink_dead_letter_records_total",
                   {{"topic", topic}, {"stage", "committed"}});
  }
  return counted("penstock_ingest_events_total", {{"topic", topic}, {"outcome", "accepted"}});
}

// What was taken back first: what is given out again is counted before that.
std::int64_t Balance::most(const Place& place) const {
  const auto& [job, topic] = place;
  if (!job.empty()) {
    const char* const name = "penstock_engine_transaction_records_total";
    const std::int64_t back =
        counted(name, {{"job", job}, {"topic", topic}, {"stage", "taken_back"}});
    return counted(name, {{"job", job}, {"topic", topic}, {"stage", "begun"}}) - back;
  }
  const char* const name = "penstock_ingest_log_records_total";
  const char* const sinks = "penstock_sink_dead_letter_records_total";
  const std::int64_t back = counted(name, {{"topic", topic}, {"stage", "refused"}}) +
                            counted(sinks, {{"topic", topic}, {"stage", "taken_back"}});
  return counted(name, {{"topic", topic}, {"stage", "sent"}}) +
         counted(sinks, {{"topic", topic}, {"stage", "begun"}}) - back;
}

telemetry::Gauge* Balance::gauge(const char* name, const char* help, const Place& place) {
  telemetry::Gauge*& known = gauges_[{name, place}];
  if (known == nullptr) {
    telemetry::Labels labels = {{"topic", place.second}};
    if (!place.first.empty()) {
      labels.emplace_back("job", place.first);
    }
    if (std::string_view(name).ends_with("imbalance_records")) {
      labels.emplace_back("stage", place.first.empty() ? "accepted" : "processed");
    }
    known = &registry_.gauge(name, help, std::move(labels));
  }
  return known;
}

void Balance::show(const LogReading& reading, const Figures& imbalance) {
  std::vector<std::pair<telemetry::Gauge*, std::int64_t>> values;
  for (const auto& [place, figure] : reading.at) {
    if (place.first.empty()) {
      values.emplace_back(
          gauge("penstock_pipeline_accepted_records",
                "Events durable in a topic since its beginning, or dead letters in theirs.", place),
          figure);
    } else {
      const std::int64_t done = at(reading.done, place);
      values.emplace_back(
          gauge("penstock_pipeline_processed_records",
                "Of a topic's records those that a job has processed for good.", place),
          done);
      values.emplace_back(
          gauge("penstock_pipeline_in_flight_records",
                "Accepted and not yet processed by a job: the difference of the two.", place),
          at(reading.ends, {"", place.second}) - done);
    }
    values.emplace_back(
        gauge("penstock_pipeline_imbalance_records",
              "Records by which two independent counts differ: 0, or something is lost or doubled.",
              place),
        at(imbalance, place));
  }
  registry_.change_together([&] {
    for (const auto& [gauge, value] : values) {
      gauge->set(static_cast<double>(value));
    }
    readings_.add(1);
  });
}

}  // namespace penstock::console
