// The queries of Nexmark as programs of the DSL.
//
// Each reads the topics "people", "auctions" and "bids" (keys: the person's id, the auction's id,
// the auction's id) and writes to a topic of its own name. Queries 6, 10 and 21 are not among them:
// 6 cannot be said in the SQL of the benchmark either, 10 writes files (the archive does that), and
// 21 is one more choice by channel.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "dsl/windows.h"
#include "topology/topology.h"

namespace penstock::nexmark {

inline constexpr std::string_view kPeopleTopic = "people";
inline constexpr std::string_view kAuctionsTopic = "auctions";
inline constexpr std::string_view kBidsTopic = "bids";
inline constexpr std::string_view kPagesTopic = "pages";  // the side input of query 13

// Query 13 joins bids with the page of their auction's number modulo this.
inline constexpr std::int64_t kPageCount = 10'000;

struct QueryOptions {
  // How late records may be, where they go through a repartition topic: as its partitions are
  // written by several tasks, one may be ahead of the others by as much as there is.
  dsl::Duration grace{0};
  // How far apart by time a bid and its auction can be.
  dsl::Duration join_window{std::chrono::seconds(10)};
  // Closed windows are put out by the next record after this time, by the clock.
  dsl::Duration emit_interval{std::chrono::seconds(1)};
};

struct Query {
  enum class Output : std::uint8_t {
    kAppends,  // every record is a result
    kUpdates,  // the last record of each key is, if it is not null
    kWindows,  // the same, once a window is closed; its start comes first
  };

  std::string_view name;
  Output output;
  std::vector<std::string_view> topics;  // what it reads
  Result<topology::Topology> (*make)(const QueryOptions& options);
  // A value of its topic as text: all columns, with '|' in between.
  std::optional<std::string> (*to_text)(ByteView value);
};

[[nodiscard]] std::span<const Query> queries();
[[nodiscard]] const Query* find_query(std::string_view name);

// Groups of queries.h, each in a file of its own.
[[nodiscard]] std::vector<Query> stateless_queries();
[[nodiscard]] std::vector<Query> window_queries();
[[nodiscard]] std::vector<Query> join_queries();
[[nodiscard]] std::vector<Query> statistics_queries();

}  // namespace penstock::nexmark
