// What `penstock dlq` does: list, count, show and replay the dead letters of a running server.
//
// A replay sends an event's original bytes to its original topic again, as a request of its own
// that carries how often it has been replayed, so that an event that fails for ever cannot run in
// circles, and an idempotency key made of the dead letter's place, so that a replay that was
// interrupted and begun again does not send it twice, while the server remembers the key
// (ingest.idempotency_time). The dead letter itself stays in its topic as
// the record of what happened, until retention removes it.
//
// Errors    of Remote; kInvalid for filters that cannot be read
#pragma once

#include <cstdint>
#include <iosfwd>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "core/result.h"
#include "core/unique_function.h"
#include "os/clock.h"
#include "penstock/remote.h"

namespace penstock::app {

// One dead letter as read from the server.
struct DeadLetter {
  std::int64_t offset = 0;
  std::string code;
  std::string message;
  std::string time;  // RFC 3339
  std::string source;
  std::string topic;  // where it was sent to
  std::string sink;   // whose destination refused it; empty: the gateway did
  std::uint32_t replays = 0;
  std::string bytes;  // as the client sent them
};

struct DeadLetterFilter {
  std::string topic;                     // empty: all
  std::string code;                      // empty: all
  std::string sink;                      // empty: all
  std::optional<std::int64_t> since_ms;  // epoch; inclusive
  std::optional<std::int64_t> until_ms;  // exclusive
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();

  [[nodiscard]] bool matches(const DeadLetter& letter) const;
};

struct ReplayOptions {
  DeadLetterFilter filter;
  bool dry_run = false;
  std::uint64_t events_per_second = 1000;  // at most
  std::uint32_t replays_max = 3;           // letters replayed so often already are left
};

struct ReplaySummary {
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;     // sent before, for instance by a replay before this one
  std::uint64_t dead_lettered = 0;  // refused again: dead letters anew
  std::uint64_t not_taken = 0;      // refused with the whole request: nothing like JSON, no topic
  std::uint64_t left_as_loop = 0;   // over replays_max
  std::map<std::string, std::uint64_t> by_code;  // of those replayed, or that would be
};

// Calls `visit` for each dead letter that matches, oldest first, topic by topic.
using DeadLetterVisitor = UniqueFunction<Status(const DeadLetter&)>;
[[nodiscard]] Status for_each_dead_letter(Remote& remote, const DeadLetterFilter& filter,
                                          DeadLetterVisitor visit);

[[nodiscard]] Status list_dead_letters(Remote& remote, const DeadLetterFilter& filter,
                                       std::ostream& out);
// By reason and hour; the server counts.
[[nodiscard]] Status count_dead_letters(Remote& remote, const DeadLetterFilter& filter,
                                        std::ostream& out);
[[nodiscard]] Status show_dead_letters(Remote& remote, const DeadLetterFilter& filter,
                                       std::ostream& out);
[[nodiscard]] Result<ReplaySummary> replay_dead_letters(Remote& remote,
                                                        const ReplayOptions& options,
                                                        std::ostream& progress);

}  // namespace penstock::app
