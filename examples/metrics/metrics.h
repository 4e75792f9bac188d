// The topology of this example: figures of services per minute, from single measurements.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "core/result.h"
#include "dsl/fields.h"
#include "topology/topology.h"

namespace metrics {

// One request that a service has answered.
struct Measurement {
  std::int64_t milliseconds = 0;
  bool failed = false;

  static constexpr auto kFields = std::tuple(&Measurement::milliseconds, &Measurement::failed);
};

struct Figures {
  std::int64_t count = 0;
  std::int64_t failed = 0;
  std::int64_t slowest = 0;  // milliseconds
  std::int64_t sum = 0;      // milliseconds

  static constexpr auto kFields =
      std::tuple(&Figures::count, &Figures::failed, &Figures::slowest, &Figures::sum);

  friend bool operator==(const Figures&, const Figures&) = default;
};

// Topic "measurements": service -> Measurement.
// Topic "live": (service, minute) -> Figures, again with every measurement.
// Topic "final": the same once, when no more can come: measurements may be two minutes late.
[[nodiscard]] penstock::Result<penstock::topology::Topology> make_topology();

}  // namespace metrics
