// Dead letters: what the record of an event that could not be taken looks like.
//
// The value is the event's bytes, untouched; there is no key. Headers (UTF-8 text) say what was
// wrong, where it came from and how often it has been replayed. Two headers of Kafka Streams' own
// (KIP-1034) are there as well, because tools know them. Format: docs/formats/dead-letter.md.
#pragma once

#include <string>
#include <string_view>

namespace penstock {

// The topic of the dead letters of `topic`.
[[nodiscard]] inline std::string dead_letter_topic(std::string_view topic) {
  return std::string(topic) + ".dlq";
}

[[nodiscard]] inline bool is_dead_letter_topic(std::string_view topic) {
  return topic.ends_with(".dlq");
}

// Names of the headers.
namespace dead_letter {

inline constexpr std::string_view kCode = "penstock.dlq.code";        // "invalid_json"
inline constexpr std::string_view kMessage = "penstock.dlq.message";  // for people
inline constexpr std::string_view kIndex = "penstock.dlq.index";      // position in the request
inline constexpr std::string_view kTime = "penstock.dlq.time";        // RFC 3339
inline constexpr std::string_view kSource = "penstock.dlq.source";    // the client's address
inline constexpr std::string_view kTopic = "penstock.dlq.topic";      // where it was sent
inline constexpr std::string_view kReplays = "penstock.dlq.replays";  // how often it was replayed
inline constexpr std::string_view kSink = "penstock.dlq.sink";  // whose destination refused it
inline constexpr std::string_view kPartition = "penstock.dlq.partition";  // where a sink read it
inline constexpr std::string_view kOffset = "penstock.dlq.offset";
inline constexpr std::string_view kStreamsMessage = "__streams.errors.message";
inline constexpr std::string_view kStreamsTopic = "__streams.errors.topic";

// The code of what a sink's destination refuses; those of the gateway are in gateway/outcome.h.
inline constexpr std::string_view kSinkRefused = "sink_refused";

}  // namespace dead_letter

// What was done to dead letters, as JSON: who replayed or purged which, when and how it ended.
inline constexpr std::string_view kDeadLetterActionsTopic = "__dead_letter_actions";

// A replayed event carries its count of replays in this HTTP header, so that it can be told from a
// new one if it fails again.
inline constexpr std::string_view kReplayRequestHeader = "Penstock-Dlq-Replay";

}  // namespace penstock
