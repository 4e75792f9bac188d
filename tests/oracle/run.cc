#include "oracle/run.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "engine/topology_driver.h"
#include "oracle/events.h"
#include "oracle/shown.h"
#include "oracle/splitmix.h"
#include "oracle/store_dump.h"
#include "testing/sim_clock.h"

namespace penstock::oracle {
namespace {

constexpr std::chrono::milliseconds kWallClockStart{1'000'000};

[[nodiscard]] std::string digest(const std::vector<std::string>& lines) {
  std::uint64_t hash = kFnvStart;
  for (const std::string& line : lines) {
    hash = fnv("\n", fnv(line, hash));
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 44; shift >= 0; shift -= 4) {
    text += kDigits[(hash >> shift) & 15];
  }
  return text;
}

[[nodiscard]] engine::TopologyDriver::PartitionCounts partition_counts(const GoldenFile& golden) {
  engine::TopologyDriver::PartitionCounts counts{{"out", 1}};
  for (const InputTopic& input : golden.profile.inputs) {
    counts[input.topic] = 1;
  }
  for (const OutputTopic& output : golden.outputs) {
    if (output.key != Format::kBytes) {  // those are internal topics, which the driver makes
      counts[output.topic] = 1;
    }
  }
  return counts;
}

class Player {
 public:
  Player(const GoldenFile& golden, engine::TopologyDriver& driver, testing::SimClock& clock,
         Disturbance disturbance)
      : golden_(golden), driver_(driver), clock_(clock), disturbance_(disturbance) {}

  [[nodiscard]] Result<Run> play(int seed) {
    std::size_t number = 0;
    for (const Event& event : make_events(golden_.name, golden_.profile, seed)) {
      const std::string prefix = std::to_string(number++) + " ";
      add(run_.inputs, prefix + event.line());
      PENSTOCK_TRY(play(event));
      for (const OutputTopic& output : golden_.outputs) {
        read(output, prefix);
      }
    }
    for (const StoreToCompare& store : golden_.stores) {
      for (const std::string& line : store_lines(driver_, store, golden_.profile)) {
        add(run_.stores, "store " + store.name + " " + line);
      }
    }
    const topology::RecordCounts& counts = driver_.counts();
    run_.dropped = counts.late + counts.expired + counts.dropped;
    run_.all.push_back("dropped " + std::to_string(run_.dropped));
    return std::move(run_);
  }

 private:
  void add(std::vector<std::string>& list, const std::string& line) {
    list.push_back(line);
    run_.all.push_back(line);
  }

  // One commit per event, as TopologyTestDriver does it.
  [[nodiscard]] Status play(const Event& event) {
    if (event.is_clock()) {
      clock_.advance(std::chrono::milliseconds(event.time_ms));
    } else {
      engine::DrivenRecord record;
      record.partition = PartitionId(0);
      record.timestamp = Timestamp(event.time_ms);
      record.key = event.key;
      record.value = event.value;
      if (event.header.has_value()) {
        record.headers.push_back({"n", event.header});
      }
      driver_.send(event.topic, record);
      PENSTOCK_TRY(disturb());
    }
    PENSTOCK_TRY(driver_.run());
    return driver_.commit();
  }

  [[nodiscard]] Status disturb() {
    if (disturbance_ == Disturbance::kNone) {
      return {};
    }
    PENSTOCK_TRY(driver_.run());
    driver_.abort();
    constexpr int kRestartEvery = 5;
    if (disturbance_ == Disturbance::kAbortsAndRestarts && ++disturbed_ % kRestartEvery == 0) {
      PENSTOCK_TRY(driver_.run());
      return driver_.restart();
    }
    return {};
  }

  void read(const OutputTopic& output, const std::string& prefix) {
    const std::vector<engine::DrivenRecord>& records = driver_.output(output.topic);
    std::size_t& index = read_[output.topic];
    for (; index < records.size(); ++index) {
      const engine::DrivenRecord& record = records[index];
      add(run_.outputs, prefix + output.topic + " " + shown(record.key, output.key) + " " +
                            shown(record.value, output.value) + " @" +
                            std::to_string(record.timestamp.value()) + headers(record));
    }
  }

  [[nodiscard]] std::string headers(const engine::DrivenRecord& record) const {
    if (!golden_.profile.headers) {
      return {};
    }
    std::string text;
    for (const engine::DrivenHeader& header : record.headers) {
      text += (text.empty() ? "" : ",") + header.key + "=" + shown(header.value);
    }
    return " {" + text + "}";
  }

  const GoldenFile& golden_;
  engine::TopologyDriver& driver_;
  testing::SimClock& clock_;
  const Disturbance disturbance_;
  int disturbed_ = 0;                        // records
  std::map<std::string, std::size_t> read_;  // records of each output
  Run run_;
};

}  // namespace

Digests Run::digests() const {
  return {digest(inputs), digest(outputs), digest(stores), dropped};
}

Result<Run> play(const GoldenFile& golden, const Program& program, int seed,
                 Disturbance disturbance) {
  dsl::StreamBuilder builder(
      {.application_id = "oracle",
       .emit_interval = std::chrono::milliseconds(golden.emit_interval_ms),
       .caching = golden.is_cached ? dsl::Caching::kOn : dsl::Caching::kOff});
  program.build(builder);
  PENSTOCK_TRY_ASSIGN(const topology::Topology topology, std::move(builder).build());
  testing::SimClock clock;
  clock.set_wall(os::WallTime(kWallClockStart));
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<engine::TopologyDriver> driver,
                      engine::TopologyDriver::open(topology, partition_counts(golden), clock));
  return Player(golden, *driver, clock, disturbance).play(seed);
}

}  // namespace penstock::oracle
