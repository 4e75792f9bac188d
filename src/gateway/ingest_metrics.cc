#include "gateway/ingest_metrics.h"

#include "record/dead_letter.h"

namespace penstock::gateway {

namespace {

Counter& requests(telemetry::Registry& registry, const char* outcome) {
  return registry.counter("penstock_ingest_requests_total", "Ingest requests by outcome.",
                          {{"outcome", outcome}});
}

Counter& events(telemetry::Registry& registry, const std::string& topic, const char* outcome) {
  return registry.counter("penstock_ingest_events_total",
                          "Events of answered requests, by topic and outcome.",
                          {{"topic", topic}, {"outcome", outcome}});
}

Counter& log_records(telemetry::Registry& registry, const std::string& topic, const char* stage) {
  return registry.counter("penstock_ingest_log_records_total",
                          "Records sent to the log, and of these refused by it, by topic.",
                          {{"topic", topic}, {"stage", stage}});
}

Counter& arrival_times(telemetry::Registry& registry, const std::string& topic,
                       const char* reason) {
  return registry.counter("penstock_ingest_arrival_timestamps_total",
                          "Events that got the time of arrival: their own is missing, unreadable "
                          "or far ahead of the clock.",
                          {{"topic", topic}, {"reason", reason}});
}

}  // namespace

telemetry::LatencyHistogram& stage_histogram(telemetry::Registry& registry,
                                             std::string_view stage) {
  return registry.histogram(
      "penstock_ingest_stage_seconds",
      "Time of ingest requests by stage: receive (first to last byte), parse (told apart, checked, "
      "built into batches), wait (for the append to go off), durable (for the log).",
      {{"stage", std::string(stage)}});
}

StageMetrics::StageMetrics(telemetry::Registry& registry)
    : wait(stage_histogram(registry, "wait")),
      durable(stage_histogram(registry, "durable")),
      ack(registry.histogram("penstock_ingest_ack_seconds",
                             "From a request's first byte to its durable answer.")) {}

RequestMetrics::RequestMetrics(telemetry::Registry& registry)
    : accepted(requests(registry, "accepted")),
      rejected(requests(registry, "rejected")),
      overloaded(requests(registry, "overloaded")),
      unavailable(requests(registry, "unavailable")) {}

TopicMetrics::TopicMetrics(telemetry::Registry& registry, const std::string& topic)
    : accepted(events(registry, topic, "accepted")),
      duplicates(events(registry, topic, "duplicate")),
      dead_lettered(events(registry, topic, "dead_lettered")),
      sent_events(log_records(registry, topic, "sent")),
      sent_dead_letters(log_records(registry, dead_letter_topic(topic), "sent")),
      refused_events(log_records(registry, topic, "refused")),
      refused_dead_letters(log_records(registry, dead_letter_topic(topic), "refused")),
      bytes(registry.counter("penstock_ingest_bytes_total",
                             "Bytes of request bodies, decoded, by topic.", {{"topic", topic}})),
      timestamps_missing(arrival_times(registry, topic, "missing")),
      timestamps_unreadable(arrival_times(registry, topic, "unreadable")),
      timestamps_ahead(arrival_times(registry, topic, "ahead")) {
  for (std::size_t i = 0; i < kDeadLetterReasonCount; ++i) {
    const auto reason = static_cast<DeadLetterReason>(i);
    dead_letters.emplace_back(registry.counter(
        "penstock_dead_letters_total", "Events that became dead letters, by topic and reason.",
        {{"topic", topic}, {"reason", std::string(to_string(reason))}}));
  }
}

void TopicMetrics::sent(const Outcome& outcome) {
  sent_events.add(outcome.accepted);
  sent_dead_letters.add(outcome.dead_lettered());
}

void TopicMetrics::refused(const Outcome& outcome) {
  refused_events.add(outcome.accepted);
  refused_dead_letters.add(outcome.dead_lettered());
}

void TopicMetrics::add(const Outcome& outcome, std::size_t body_size) {
  accepted.add(outcome.accepted);
  bytes.add(body_size);
  if (outcome.duplicates > 0) {
    duplicates.add(outcome.duplicates);
  }
  if (outcome.timestamps_missing > 0) {
    timestamps_missing.add(outcome.timestamps_missing);
  }
  if (outcome.timestamps_unreadable > 0) {
    timestamps_unreadable.add(outcome.timestamps_unreadable);
  }
  if (outcome.timestamps_ahead > 0) {
    timestamps_ahead.add(outcome.timestamps_ahead);
  }
  if (const std::uint64_t dead = outcome.dead_lettered(); dead > 0) {
    dead_lettered.add(dead);
    for (std::size_t i = 0; i < kDeadLetterReasonCount; ++i) {
      dead_letters[i].get().add(outcome.dead_letters[i]);
    }
  }
}

}  // namespace penstock::gateway
