// GoldenFile is what Kafka Streams answered to the inputs of one topology, and what the inputs
// were.
//
// Its head says everything about a topology but the topology itself: how inputs are made, which
// topics and stores are compared. Written by the Java side (Program.lines, Main.golden); the format
// is described in README.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"

namespace penstock::oracle {

// How the bytes of a key or value are shown.
enum class Format : std::uint8_t { kText, kNumber, kWindow, kSession, kBytes };

enum class StoreKind : std::uint8_t {
  kTable,
  kPlain,
  kWindows,
  kPlainWindows,
  kSessions,
  kVersioned,
};

struct InputTopic {
  std::string topic;
  std::int64_t keys = 0;        // that many letters from "a" on
  std::int64_t null_keys = 0;   // percent
  std::int64_t tombstones = 0;  // percent
  std::int64_t weight = 0;      // of all weights: the topic's share of the events
};

struct Profile {
  std::int64_t events = 0;
  std::int64_t step_ms = 0;  // between two events, on average
  std::int64_t late = 0;     // percent
  std::int64_t late_by_ms = 0;
  std::int64_t jump = 0;  // percent of the records before which time jumps
  std::int64_t jump_by_ms = 0;
  std::int64_t letters = 0;  // of which a value begins with one
  std::int64_t clock = 0;    // percent of the events that move the wall clock
  std::int64_t clock_by_ms = 0;
  bool headers = false;
  std::vector<InputTopic> inputs;
};

struct OutputTopic {
  std::string topic;
  Format key = Format::kText;
  Format value = Format::kText;
};

struct StoreToCompare {
  std::string name;
  StoreKind kind = StoreKind::kTable;
  Format key = Format::kText;
  Format value = Format::kText;
};

// Of one input: what went in, what came out, what was left in the stores.
struct Digests {
  std::string inputs;
  std::string outputs;
  std::string stores;
  std::uint64_t dropped = 0;

  friend bool operator==(const Digests&, const Digests&) = default;
};

struct GoldenFile {
  std::string name;
  bool is_cached = false;
  std::int64_t emit_interval_ms = 0;
  Profile profile;
  std::vector<OutputTopic> outputs;
  std::vector<StoreToCompare> stores;
  std::map<int, Digests> digests;                // by seed
  std::map<int, std::vector<std::string>> runs;  // the whole text of some

  // kInvalid: a line that is not understood; the message has its number.
  [[nodiscard]] static Result<GoldenFile> read(const std::filesystem::path& path);
};

}  // namespace penstock::oracle
