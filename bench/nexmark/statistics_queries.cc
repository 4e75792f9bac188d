// Queries 15 to 19: figures per day, per channel, per auction; the latest and the highest bids.
#include <algorithm>
#include <array>

#include "nexmark/kit.h"

namespace penstock::nexmark {

namespace {

using dsl::Materialized;
using dsl::Stream;
using dsl::StreamBuilder;
using dsl::Table;

// Bids below 10,000, below 1,000,000, and above.
constexpr std::array<std::int64_t, 2> kRankBounds = {10'000, 1'000'000};

// A number of all, and of those of each rank.
struct Ranked {
  std::int64_t all = 0;
  std::int64_t low = 0;
  std::int64_t middle = 0;
  std::int64_t high = 0;

  static constexpr auto kFields =
      std::tuple(&Ranked::all, &Ranked::low, &Ranked::middle, &Ranked::high);

  void add(const Ranked& other, std::int64_t times) {
    all += times * other.all;
    low += times * other.low;
    middle += times * other.middle;
    high += times * other.high;
  }

  // 1 where there is any.
  [[nodiscard]] Ranked presence() const {
    return {all > 0 ? 1 : 0, low > 0 ? 1 : 0, middle > 0 ? 1 : 0, high > 0 ? 1 : 0};
  }
};

Ranked rank(std::int64_t price) {
  return {1, price < kRankBounds[0] ? 1 : 0,
          price >= kRankBounds[0] && price < kRankBounds[1] ? 1 : 0,
          price >= kRankBounds[1] ? 1 : 0};
}

// What figures are kept of: all bids of a day, or those of a channel.
struct Group {
  Millis day = 0;
  std::string channel;

  static constexpr auto kFields = std::tuple(&Group::day, &Group::channel);

  friend bool operator==(const Group&, const Group&) = default;
};

// Somebody or something that is counted once in a group.
struct Member {
  Group group;
  std::int64_t id = 0;

  static constexpr auto kFields = std::tuple(&Member::group, &Member::id);
};

struct Figures {
  Millis day = 0;
  std::string channel;
  Millis latest = 0;
  Ranked bids;
  Ranked bidders;
  Ranked auctions;

  static constexpr auto kFields = std::tuple(&Figures::day, &Figures::channel, &Figures::latest,
                                             &Figures::bids, &Figures::bidders, &Figures::auctions);
};

// What is needed of a bid.
struct Offer {
  Group group;
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;
  Millis time = 0;

  static constexpr auto kFields =
      std::tuple(&Offer::group, &Offer::auction, &Offer::bidder, &Offer::price, &Offer::time);
};

// How many different ones there are, by rank: each has a row, and goes into the count of its group
// once, however many bids it has.
template <typename IdOf>
Table<Group, Ranked> distinct(const Stream<std::int64_t, Offer>& offers, const std::string& name,
                              IdOf id_of) {
  return offers.group_by([id_of](const Offer& offer) {
                 return Member{offer.group, id_of(offer)};
               })
      .aggregate([] { return Ranked(); },
                 [](const Member&, const Offer& offer, Ranked bids) {
                   bids.add(rank(offer.price), 1);
                   return bids;
                 },
                 Materialized(name + "-bids"))
      .map_values([](const Ranked& bids) { return bids.presence(); })
      .group_by([](const Member& member, const Ranked& presence) {
        return std::pair(member.group, presence);
      })
      .aggregate([] { return Ranked(); },
                 [](const Group&, const Ranked& presence, Ranked sum) {
                   sum.add(presence, 1);
                   return sum;
                 },
                 [](const Group&, const Ranked& presence, Ranked sum) {
                   sum.add(presence, -1);
                   return sum;
                 },
                 Materialized(name + "s"));
}

template <typename GroupOf>
Result<topology::Topology> figures(const std::string& name, const QueryOptions& options,
                                   GroupOf group_of) {
  StreamBuilder builder = builder_for(name, options);
  const Stream<std::int64_t, Offer> offers = bids(builder).map_values([group_of](const Bid& bid) {
    return Offer{group_of(bid), bid.auction, bid.bidder, bid.price, bid.time};
  });
  const auto bidders =
      distinct(offers, name + "-bidder", [](const Offer& offer) { return offer.bidder; });
  const auto auctions =
      distinct(offers, name + "-auction", [](const Offer& offer) { return offer.auction; });
  offers.group_by([](const Offer& offer) { return offer.group; })
      .aggregate([] { return Figures(); },
                 [](const Group& group, const Offer& offer, Figures sum) {
                   sum.day = group.day;
                   sum.channel = group.channel;
                   sum.latest = std::max(sum.latest, offer.time);
                   sum.bids.add(rank(offer.price), 1);
                   return sum;
                 },
                 Materialized(name + "-bids"))
      .join(bidders,
            [](Figures sum, const Ranked& counts) {
              sum.bidders = counts;
              return sum;
            })
      .join(auctions,
            [](Figures sum, const Ranked& counts) {
              sum.auctions = counts;
              return sum;
            })
      .to_stream()
      .to(name);
  return std::move(builder).build();
}

Result<topology::Topology> figures_per_day(const QueryOptions& options) {
  return figures("q15", options, [](const Bid& bid) { return Group{bid.time / kDay, ""}; });
}

Result<topology::Topology> figures_per_channel(const QueryOptions& options) {
  return figures("q16", options, [](const Bid& bid) {
    return Group{bid.time / kDay, bid.channel};
  });
}

struct AuctionDay {
  std::int64_t auction = 0;
  Millis day = 0;

  static constexpr auto kFields = std::tuple(&AuctionDay::auction, &AuctionDay::day);
};

struct AuctionFigures {
  std::int64_t auction = 0;
  Millis day = 0;
  Ranked bids;
  std::int64_t lowest = 0;
  std::int64_t highest = 0;
  std::int64_t sum = 0;

  static constexpr auto kFields =
      std::tuple(&AuctionFigures::auction, &AuctionFigures::day, &AuctionFigures::bids,
                 &AuctionFigures::lowest, &AuctionFigures::highest, &AuctionFigures::sum);
};

Result<topology::Topology> figures_per_auction(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q17", options);
  bids(builder)
      .map([](std::int64_t auction, const Bid& bid) {
        return std::pair(AuctionDay{auction, bid.time / kDay}, bid.price);
      })
      .group_by_key()
      .aggregate([] { return AuctionFigures(); },
                 [](const AuctionDay& of, std::int64_t price, AuctionFigures figures) {
                   const bool is_first = figures.bids.all == 0;
                   figures.auction = of.auction;
                   figures.day = of.day;
                   figures.bids.add(rank(price), 1);
                   figures.lowest = is_first ? price : std::min(figures.lowest, price);
                   figures.highest = std::max(figures.highest, price);
                   figures.sum += price;
                   return figures;
                 },
                 Materialized("q17-figures-per-auction"))
      .to_stream()
      .to("q17");
  return std::move(builder).build();
}

struct Offers {
  std::int64_t auction = 0;
  std::int64_t bidder = 0;

  static constexpr auto kFields = std::tuple(&Offers::auction, &Offers::bidder);
};

// Of each user in each auction.
Result<topology::Topology> last_bids(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q18", options);
  bids(builder)
      .group_by([](const Bid& bid) {
        return Offers{bid.auction, bid.bidder};
      })
      .reduce([](Bid latest,
                 const Bid& bid) { return bid.number > latest.number ? bid : std::move(latest); },
              Materialized("q18-last-bids"))
      .to_stream()
      .to("q18");
  return std::move(builder).build();
}

struct TopBid {
  std::int64_t number = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;

  static constexpr auto kFields = std::tuple(&TopBid::number, &TopBid::bidder, &TopBid::price);
};

struct TopBids {
  std::int64_t auction = 0;
  std::vector<TopBid> bids;

  static constexpr auto kFields = std::tuple(&TopBids::auction, &TopBids::bids);
};

// The ten highest of each auction.
Result<topology::Topology> top_bids(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q19", options);
  bids(builder)
      .map_values([](const Bid& bid) {
        return TopBid{bid.number, bid.bidder, bid.price};
      })
      .group_by_key()
      .top_n(
          10, [](const TopBid& bid) { return bid.price; }, Materialized("q19-top-bids"))
      .to_stream()
      .map_values([](std::int64_t auction, const std::vector<TopBid>& bids) {
        return TopBids{auction, bids};
      })
      .to("q19");
  return std::move(builder).build();
}

}  // namespace

std::vector<Query> statistics_queries() {
  using Output = Query::Output;
  return {{"q15", Output::kUpdates, {kBidsTopic}, figures_per_day, show<Figures>},
          {"q16", Output::kUpdates, {kBidsTopic}, figures_per_channel, show<Figures>},
          {"q17", Output::kUpdates, {kBidsTopic}, figures_per_auction, show<AuctionFigures>},
          {"q18", Output::kUpdates, {kBidsTopic}, last_bids, show<Bid>},
          {"q19", Output::kUpdates, {kBidsTopic}, top_bids, show<TopBids>}};
}

}  // namespace penstock::nexmark
