// World is a topology with a driver, for tests of the DSL.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dsl/dsl.h"
#include "testdriver/topology_test_driver.h"

namespace penstock::dsl {

template <typename V>
using Pairs = std::vector<std::pair<std::optional<std::string>, std::optional<V>>>;

inline topology::Topology built(StreamBuilder builder) {
  auto topology = std::move(builder).build();
  EXPECT_TRUE(topology.has_value()) << topology.error().to_string();
  return *std::move(topology);
}

struct World {
  explicit World(StreamBuilder builder, const testdriver::TopologyTestDriver::Options& options = {})
      : topology(built(std::move(builder))), driver(topology, options) {}

  // Everything that came out with string keys.
  template <typename V>
  [[nodiscard]] Pairs<V> read(const std::string& topic) {
    return driver.create_output_topic<std::string, V>(topic).read_key_values();
  }

  // "key=value@timestamp" of everything that came out.
  template <typename K, typename V>
  [[nodiscard]] std::vector<std::string> lines(const std::string& topic) {
    std::vector<std::string> lines;
    for (const auto& record : driver.create_output_topic<K, V>(topic).read_records()) {
      lines.push_back((record.key.has_value() ? show(*record.key) : "null") + "=" +
                      (record.value.has_value() ? show(*record.value) : "null") + "@" +
                      to_string(record.timestamp));
    }
    return lines;
  }

  [[nodiscard]] static std::string show(const std::string& text) { return text; }

  [[nodiscard]] static std::string show(std::int64_t number) { return std::to_string(number); }

  template <typename K>
  [[nodiscard]] static std::string show(const Windowed<K>& windowed) {
    return show(windowed.key) + "[" + to_string(windowed.window.start) + "]";
  }

  template <typename K>
  [[nodiscard]] static std::string show(const SessionWindowed<K>& windowed) {
    return show(windowed.key) + "[" + to_string(windowed.window.start) + "," +
           to_string(windowed.window.end) + "]";
  }

  topology::Topology topology;
  testdriver::TopologyTestDriver driver;
};

using Lines = std::vector<std::string>;

}  // namespace penstock::dsl
