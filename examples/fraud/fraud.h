// The topology of this example: suspicious payments of cards, and what a risk service thinks of
// them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "dsl/serde.h"
#include "topology/topology.h"

namespace fraud {

struct Payment {
  std::string merchant;
  std::int64_t cents = 0;

  friend bool operator==(const Payment&, const Payment&) = default;
};

// Three payments within a minute, each larger than the one before.
struct Suspicion {
  std::string merchant;    // of the last one
  std::int64_t cents = 0;  // of all three

  friend bool operator==(const Suspicion&, const Suspicion&) = default;
};

struct Alert {
  Suspicion suspicion;
  std::int64_t score = 0;  // 0 to 100, by the risk service

  friend bool operator==(const Alert&, const Alert&) = default;
};

inline constexpr std::int64_t kAlertScoreMin = 50;

// Asks what the risk of a card is, and answers later, from any thread.
using RiskAnswer = std::function<void(penstock::Result<std::int64_t> score)>;
using AskRisk = std::function<void(const std::string& card, RiskAnswer answer)>;

// Topic "payments": card -> Payment. Topic "alerts": card -> Alert, if its score is high enough.
// Topic "fraud-dead-letters": payments that cannot be read, and those whose card the service does
// not know or has no answer for.
[[nodiscard]] penstock::Result<penstock::topology::Topology> make_topology(AskRisk ask);

}  // namespace fraud

// "<cents> <merchant>"
template <>
struct penstock::dsl::Serde<fraud::Payment> {
  static void encode(const fraud::Payment& payment, Bytes& to);
  static std::optional<fraud::Payment> decode(ByteView bytes);
};

// "<score> <cents> <merchant>"
template <>
struct penstock::dsl::Serde<fraud::Alert> {
  static void encode(const fraud::Alert& alert, Bytes& to);
  static std::optional<fraud::Alert> decode(ByteView bytes);
};
