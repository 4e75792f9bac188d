// Queries 5, 7, 8, 11, 12: by windows.
#include <algorithm>
#include <chrono>

#include "nexmark/kit.h"

namespace penstock::nexmark {

namespace {

using dsl::Duration;
using dsl::EmitStrategy;
using dsl::Materialized;
using dsl::SessionWindowed;
using dsl::SessionWindows;
using dsl::StreamBuilder;
using dsl::TimestampFrom;
using dsl::TimeWindows;
using dsl::Windowed;
using namespace std::chrono_literals;

constexpr Duration kWindow = 10s;

// Of one auction in one window, and of the window.
struct AuctionCount {
  std::int64_t auction = 0;
  std::int64_t count = 0;

  static constexpr auto kFields = std::tuple(&AuctionCount::auction, &AuctionCount::count);
};

struct HotItems {
  Millis window = 0;
  std::int64_t count = 0;
  std::vector<std::int64_t> auctions;  // in order

  static constexpr auto kFields =
      std::tuple(&HotItems::window, &HotItems::count, &HotItems::auctions);
};

// Those with the most bids in windows of 10 s, every 2 s.
Result<topology::Topology> hot_items(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q5", options);
  bids(builder)
      .group_by_key()
      .windowed_by(TimeWindows::of_size_with_no_grace(kWindow).advance_by(2s))
      .emit_strategy(EmitStrategy::kOnWindowClose)
      .count(Materialized("q5-bids-per-auction"))
      .to_stream()
      .map([](const Windowed<std::int64_t>& auction, std::int64_t count) {
        return std::pair(auction.window.start.value(), AuctionCount{auction.key, count});
      })
      .group_by_key()
      .aggregate([] { return HotItems(); },
                 [](std::int64_t window, const AuctionCount& item, HotItems hot) {
                   hot.window = window;
                   if (item.count > hot.count) {
                     hot.count = item.count;
                     hot.auctions.clear();
                   }
                   if (item.count == hot.count) {
                     hot.auctions.insert(std::ranges::lower_bound(hot.auctions, item.auction),
                                         item.auction);
                   }
                   return hot;
                 },
                 Materialized("q5-hot-items"))
      .to_stream()
      .to("q5");
  return std::move(builder).build();
}

struct HighBid {
  std::int64_t number = 0;
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;

  static constexpr auto kFields =
      std::tuple(&HighBid::number, &HighBid::auction, &HighBid::bidder, &HighBid::price);
};

struct HighBids {
  Millis window = 0;
  std::vector<HighBid> bids;  // of the same price, by number

  static constexpr auto kFields = std::tuple(&HighBids::window, &HighBids::bids);
};

HighBids with_bid(HighBids high, const HighBid& bid) {
  const std::int64_t price = high.bids.empty() ? 0 : high.bids.front().price;
  if (bid.price > price) {
    high.bids.clear();
  }
  if (bid.price >= price) {
    high.bids.insert(std::ranges::lower_bound(high.bids, bid.number, {}, &HighBid::number), bid);
  }
  return high;
}

// The bids of the highest price in each window of 10 s: of each auction, then of all.
Result<topology::Topology> highest_bid(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q7", options);
  bids(builder)
      .group_by_key()
      .windowed_by(TimeWindows::of_size_with_no_grace(kWindow))
      .emit_strategy(EmitStrategy::kOnWindowClose)
      .aggregate(
          [] { return HighBids(); },
          [](std::int64_t auction, const Bid& bid, HighBids high) {
            return with_bid(std::move(high), HighBid{bid.number, auction, bid.bidder, bid.price});
          },
          Materialized("q7-highest-per-auction"))
      .to_stream()
      .map([](const Windowed<std::int64_t>& auction, const HighBids& high) {
        return std::pair(auction.window.start.value(), high);
      })
      .group_by_key()
      .aggregate([] { return HighBids(); },
                 [](std::int64_t window, const HighBids& some, HighBids high) {
                   high.window = window;
                   for (const HighBid& bid : some.bids) {
                     high = with_bid(std::move(high), bid);
                   }
                   return high;
                 },
                 Materialized("q7-highest"))
      .to_stream()
      .to("q7");
  return std::move(builder).build();
}

struct NewSeller {
  std::int64_t id = 0;
  std::string name;
  Millis window = 0;

  static constexpr auto kFields = std::tuple(&NewSeller::id, &NewSeller::name, &NewSeller::window);
};

// People who opened an auction in the window of 10 s in which they came.
Result<topology::Topology> new_sellers(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q8", options);
  const TimeWindows windows = TimeWindows::of_size_and_grace(kWindow, options.grace);
  const auto sellers = auctions(builder)
                           .group_by([](const Auction& auction) { return auction.seller; })
                           .windowed_by(windows)
                           .count(Materialized("q8-auctions-per-seller"));
  people(builder)
      .map_values([](const Person& person) { return person.name; })
      .group_by_key()
      .windowed_by(windows)
      .reduce([](std::string /*name*/, const std::string& newer) { return newer; },
              Materialized("q8-new-people"))
      .join(sellers,
            [](const Windowed<std::int64_t>& id, const std::string& name, std::int64_t /*count*/) {
              return NewSeller{id.key, name, id.window.start.value()};
            })
      .to_stream()
      .to("q8");
  return std::move(builder).build();
}

struct UserActivity {
  std::int64_t bidder = 0;
  std::int64_t count = 0;
  Millis begin = 0;
  Millis end = 0;

  static constexpr auto kFields = std::tuple(&UserActivity::bidder, &UserActivity::count,
                                             &UserActivity::begin, &UserActivity::end);
};

// How many bids a user made in a session, which ends 10 s after its last.
Result<topology::Topology> user_sessions(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q11", options);
  bids(builder)
      .map_values([](const Bid& bid) { return bid.bidder; })
      .group_by([](std::int64_t bidder) { return bidder; })
      .windowed_by(SessionWindows::of_inactivity_gap_and_grace(kWindow, options.grace))
      .count(Materialized("q11-bids-per-session"))
      .to_stream()
      .map_values([](const SessionWindowed<std::int64_t>& user, std::int64_t count) {
        return UserActivity{user.key, count, user.window.start.value(),
                            user.window.end.value() + kWindow.count()};
      })
      .to("q11");
  return std::move(builder).build();
}

// How many bids of a user were processed in each 10 s.
Result<topology::Topology> processing_time_windows(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q12", options);
  builder
      .stream<std::int64_t, Bid>(std::string(kBidsTopic), {.timestamp = TimestampFrom::kWallClock})
      .map_values([](const Bid& bid) { return bid.bidder; })
      .group_by([](std::int64_t bidder) { return bidder; })
      .windowed_by(TimeWindows::of_size_and_grace(kWindow, options.grace))
      .count(Materialized("q12-bids-per-user"))
      .to_stream()
      .map_values([](const Windowed<std::int64_t>& user, std::int64_t count) {
        return UserActivity{user.key, count, user.window.start.value(), user.window.end.value()};
      })
      .to("q12");
  return std::move(builder).build();
}

}  // namespace

std::vector<Query> window_queries() {
  using Output = Query::Output;
  return {{"q5", Output::kWindows, {kBidsTopic}, hot_items, show<HotItems>},
          {"q7", Output::kWindows, {kBidsTopic}, highest_bid, show<HighBids>},
          {"q8", Output::kUpdates, {kPeopleTopic, kAuctionsTopic}, new_sellers, show<NewSeller>},
          {"q11", Output::kUpdates, {kBidsTopic}, user_sessions, show<UserActivity>},
          {"q12", Output::kUpdates, {kBidsTopic}, processing_time_windows, show<UserActivity>}};
}

}  // namespace penstock::nexmark
