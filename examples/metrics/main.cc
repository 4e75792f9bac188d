// Final figures per service and minute, of the measurements on standard input.
#include "dsl/windows.h"
#include "kit/program.h"
#include "metrics/metrics.h"

namespace {

using penstock::ByteView;
using penstock::dsl::Serde;
using penstock::dsl::Windowed;

std::optional<kit::Record> parse(std::istream& words) {
  std::string service;
  std::string outcome;
  metrics::Measurement one;
  std::int64_t time = 0;
  words >> service >> one.milliseconds >> outcome >> time;
  one.failed = outcome == "failed";
  return words && (one.failed || outcome == "ok")
             ? std::optional(kit::make_record("measurements", service, one, time))
             : std::nullopt;
}

std::string print(ByteView key, ByteView value) {
  const auto service = Serde<Windowed<std::string>>::decode(key);
  const auto figures = Serde<metrics::Figures>::decode(value);
  return service->key + " " + to_string(service->window.start) + " " +
         std::to_string(figures->count) + " " + std::to_string(figures->failed) + " " +
         std::to_string(figures->slowest) + " " + std::to_string(figures->sum / figures->count);
}

}  // namespace

int main(int count, char** arguments) {
  return kit::run({.name = "metrics",
                   .usage = "  checkout 120 ok 5000     (service, milliseconds it took, ok or "
                            "failed, time in milliseconds)",
                   .inputs = {"measurements"},
                   .others = {"live"},
                   .output = "final",
                   .make_topology = metrics::make_topology,
                   .parse = parse,
                   .print = print},
                  count, arguments);
}
