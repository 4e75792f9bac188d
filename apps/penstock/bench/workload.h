// Workload builds the load generator's requests: whole HTTP requests of NDJSON events, made once,
// of which only a key and a time are overwritten before each sending.
//
// An event is one JSON object of exactly `event_bytes` bytes (the newline between events not
// counted): {"user":"u12345678","ts":1767225600000,"type":"click",...}. `user` is drawn from `keys`
// values, uniformly or by Zipf's law; `ts` is the time of sending in milliseconds. Overwriting
// costs about 10 ns per event, so that the generator leaves the machine to the server.
//
// Threads   one object belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/result.h"
#include "os/random.h"

namespace penstock::bench {

inline constexpr std::uint64_t kKeysMax = 100'000'000;  // `user` has eight digits

struct WorkloadOptions {
  std::string topic = "bench";
  std::string host;  // for the Host header
  std::size_t event_bytes = 100;
  std::size_t request_bytes = 65'536;  // of the body at most; less than an event: one event
  std::uint64_t keys = 1'000'000;
  double zipf = 0;  // the exponent, above 0 and below 1; 0: uniform
  std::uint64_t seed = 1;
};

// Numbers in [0, count), `rank` r with a probability proportional to 1/(r+1)^exponent.
// Source: Gray et al., "Quickly Generating Billion-Record Synthetic Databases", SIGMOD 1994.
class ZipfDistribution {
 public:
  ZipfDistribution(std::uint64_t count, double exponent);

  // `unit` is uniform in [0, 1).
  [[nodiscard]] std::uint64_t rank(double unit) const;

 private:
  double count_;
  double exponent_;
  double zeta_;
  double alpha_;
  double eta_;
};

class Workload {
 public:
  // kInvalid: the event is too small for its fields, or a number is out of its range.
  [[nodiscard]] static Result<Workload> create(const WorkloadOptions& options);

  [[nodiscard]] std::size_t events_per_request() const { return events_; }

  // Of the body.
  [[nodiscard]] std::size_t body_bytes() const { return text_.size() - body_at_; }

  // A request to refresh() and send; each connection has its own copies.
  [[nodiscard]] const std::string& request() const { return text_; }

  // Gives every event of `request`, a copy of request(), a new key and the time `epoch_ms`.
  void refresh(std::span<char> request, std::int64_t epoch_ms);

 private:
  explicit Workload(const WorkloadOptions& options);

  [[nodiscard]] std::uint64_t next_key();

  WorkloadOptions options_;
  ZipfDistribution zipf_;
  os::SeededRandom random_;
  std::string text_;
  std::size_t body_at_ = 0;
  std::size_t events_ = 0;
};

}  // namespace penstock::bench
