// What `penstock dlq` does: list, count, show and replay the dead letters of a running server.
//
// The server chooses, counts and replays (docs/operations.md, "Dead letters"); here are the loop
// over the letters, its pace, and the texts. Each letter is replayed by a request of its own and at
// most once, so a replay that was interrupted is just begun again. The dead letter itself stays in
// its topic as the record of what happened, until retention removes it.
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
  bool quarantined = false;  // replayed too often already
  std::string bytes;         // as the client sent them
};

struct DeadLetterFilter {
  std::string topic;                     // empty: all
  std::string code;                      // empty: all
  std::string sink;                      // empty: all
  std::optional<std::int64_t> since_ms;  // epoch; inclusive
  std::optional<std::int64_t> until_ms;  // exclusive
  std::optional<bool> quarantined;       // absent: all
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
};

struct ReplayOptions {
  DeadLetterFilter filter;                 // without `quarantined`: those outside of quarantine
  std::uint64_t events_per_second = 1000;  // at most
  std::string patch;                       // JSON, RFC 6902; empty: the events stay as they are
  std::string by;                          // who does it, for the notes
};

struct ReplaySummary {
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;     // there already, for instance by a replay before this one
  std::uint64_t dead_lettered = 0;  // refused again: dead letters anew
  std::uint64_t not_taken = 0;      // nothing like JSON, or the patch does not fit
  std::uint64_t in_quarantine = 0;  // left there
  std::map<std::string, std::uint64_t> by_code;  // of those replayed
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
// Who replayed which, when, and how it ended: one line of JSON each, the oldest first. Of the
// filter only the topic counts.
[[nodiscard]] Status show_dead_letter_actions(Remote& remote, const DeadLetterFilter& filter,
                                              std::ostream& out);
// Removes those of `filter.topic` that are older than `filter.until_ms`, or all; returns how many.
[[nodiscard]] Result<std::uint64_t> purge_dead_letters(Remote& remote,
                                                       const DeadLetterFilter& filter,
                                                       const std::string& by);
[[nodiscard]] Result<ReplaySummary> replay_dead_letters(Remote& remote, ReplayOptions options,
                                                        std::ostream& progress);

}  // namespace penstock::app
