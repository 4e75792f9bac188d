// What the topologies share (Kit on the Java side): values are a letter and a number, "b17".
//
// Functions take pointers where Kafka Streams' would see null.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "dsl/dsl.h"

namespace penstock::oracle {

using Text = std::string;
using dsl::Materialized;
using std::chrono::milliseconds;

// Longer than any input lasts.
inline constexpr milliseconds kKept{600'000};

[[nodiscard]] inline auto stream(dsl::StreamBuilder& builder, const Text& topic) {
  return builder.stream<Text, Text>(topic);
}

// A table that is stored under the name of its topic.
[[nodiscard]] inline auto table(dsl::StreamBuilder& builder, const Text& topic) {
  return builder.table<Text, Text>(topic, Materialized(topic));
}

// "b17" -> "b".
[[nodiscard]] inline std::optional<Text> letter(const Text* value) {
  return value == nullptr ? std::nullopt : std::optional(value->substr(0, 1));
}

// "b17" -> 17; null -> 0.
[[nodiscard]] inline std::int64_t number_of(const Text* value) {
  return value == nullptr ? 0 : std::stoll(value->substr(1));
}

[[nodiscard]] inline Text shown_or_null(const Text* value) {
  return value == nullptr ? "null" : *value;
}

[[nodiscard]] inline Text shown_or_null(const std::int64_t* value) {
  return value == nullptr ? "null" : std::to_string(*value);
}

// Both sides of a join: "b17+null".
template <typename Left, typename Right>
[[nodiscard]] Text pair(const Left* left, const Right* right) {
  return shown_or_null(left) + "+" + shown_or_null(right);
}

[[nodiscard]] inline Text pair_texts(const Text* left, const Text* right) {
  return pair(left, right);
}

// An inner join is never called with null.
[[nodiscard]] inline Text pair_both(const Text& left, const Text& right) {
  return left + "+" + right;
}

// Aggregator that shows the order: "b17a3", null as "~".
[[nodiscard]] inline Text append(const Text& /*key*/, const Text* value, const Text& aggregate) {
  return aggregate + (value == nullptr ? "~" : *value);
}

[[nodiscard]] inline Text merge(const Text& /*key*/, const Text& left, const Text& right) {
  return left + "|" + right;
}

[[nodiscard]] inline Text reduce(const Text& aggregate, const Text* value) {
  return aggregate + "," + (value == nullptr ? "~" : *value);
}

[[nodiscard]] inline std::int64_t sum(const Text& /*key*/, const Text* value,
                                      std::int64_t aggregate) {
  return aggregate + number_of(value);
}

[[nodiscard]] inline Text empty_text() {
  return {};
}

}  // namespace penstock::oracle
