// What the queries share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dsl/dsl.h"
#include "nexmark/events.h"
#include "nexmark/queries.h"
#include "nexmark/text.h"

namespace penstock::nexmark {

inline constexpr Millis kDay = 24LL * 3600 * 1000;

inline dsl::StreamBuilder builder_for(std::string_view query, const QueryOptions& options) {
  return dsl::StreamBuilder(
      {.application_id = "nexmark-" + std::string(query), .emit_interval = options.emit_interval});
}

inline dsl::Stream<std::int64_t, Bid> bids(dsl::StreamBuilder& builder) {
  return builder.stream<std::int64_t, Bid>(std::string(kBidsTopic));
}

inline dsl::Stream<std::int64_t, Auction> auctions(dsl::StreamBuilder& builder) {
  return builder.stream<std::int64_t, Auction>(std::string(kAuctionsTopic));
}

inline dsl::Stream<std::int64_t, Person> people(dsl::StreamBuilder& builder) {
  return builder.stream<std::int64_t, Person>(std::string(kPeopleTopic));
}

template <typename Row>
[[nodiscard]] std::optional<std::string> show(ByteView value) {
  const std::optional<Row> row = dsl::Serde<Row>::decode(value);
  return row.has_value() ? std::optional(to_text(*row)) : std::nullopt;
}

}  // namespace penstock::nexmark
