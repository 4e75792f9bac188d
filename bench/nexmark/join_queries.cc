// Queries 3, 4, 9, 13, 20: bids, auctions and people together.
#include <tuple>

#include "nexmark/kit.h"

namespace penstock::nexmark {

namespace {

using dsl::Joined;
using dsl::JoinWindows;
using dsl::Materialized;
using dsl::Stream;
using dsl::StreamBuilder;
using dsl::StreamJoined;
using dsl::TableJoined;

constexpr std::int64_t kCategory = 10;

bool is_local(const Person& person) {
  return person.state == "OR" || person.state == "ID" || person.state == "CA";
}

struct LocalItem {
  std::string name;
  std::string city;
  std::string state;
  std::int64_t auction = 0;

  static constexpr auto kFields =
      std::tuple(&LocalItem::name, &LocalItem::city, &LocalItem::state, &LocalItem::auction);
};

// Who of three states sells in one category.
Result<topology::Topology> local_items(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q3", options);
  const auto sellers =
      people(builder).filter(is_local).to_table(Materialized("q3-people-of-these-states"));
  auctions(builder)
      .filter([](const Auction& auction) { return auction.category == kCategory; })
      .to_table(Materialized("q3-auctions-of-the-category"))
      .join(
          sellers, [](const Auction& auction) { return auction.seller; },
          [](const Auction& auction, const Person& person) {
            return LocalItem{person.name, person.city, person.state, auction.id};
          },
          TableJoined("q3-seller"), Materialized("q3-local-items"))
      .to_stream()
      .to("q3");
  return std::move(builder).build();
}

struct AuctionBid {
  std::int64_t auction = 0;
  std::string item_name;
  std::int64_t category = 0;
  std::int64_t seller = 0;
  Millis begin = 0;
  Millis expires = 0;
  std::int64_t number = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;
  Millis time = 0;

  static constexpr auto kFields =
      std::tuple(&AuctionBid::auction, &AuctionBid::item_name, &AuctionBid::category,
                 &AuctionBid::seller, &AuctionBid::begin, &AuctionBid::expires, &AuctionBid::number,
                 &AuctionBid::bidder, &AuctionBid::price, &AuctionBid::time);
};

JoinWindows near(const QueryOptions& options) {
  return JoinWindows::of_time_difference_and_grace(options.join_window, options.grace);
}

// Bids with their auctions, whichever came first.
Stream<std::int64_t, AuctionBid> auction_bids(const std::string& query, StreamBuilder& builder,
                                              const Stream<std::int64_t, Auction>& auctions,
                                              const QueryOptions& options) {
  return bids(builder).join(
      auctions,
      [](const Bid& bid, const Auction& auction) {
        return AuctionBid{auction.id,   auction.item_name, auction.category, auction.seller,
                          auction.time, auction.expires,   bid.number,       bid.bidder,
                          bid.price,    bid.time};
      },
      near(options), StreamJoined(query + "-bids-of-auctions"));
}

// Bids that came while their auction was open.
Stream<std::int64_t, AuctionBid> valid_bids(const std::string& query, StreamBuilder& builder,
                                            const QueryOptions& options) {
  return auction_bids(query, builder, auctions(builder), options).filter([](const AuctionBid& bid) {
    return bid.begin <= bid.time && bid.time <= bid.expires;
  });
}

struct CategorySum {
  std::int64_t category = 0;
  std::int64_t sum = 0;
  std::int64_t count = 0;

  static constexpr auto kFields =
      std::tuple(&CategorySum::category, &CategorySum::sum, &CategorySum::count);
};

struct CategoryAverage {
  std::int64_t category = 0;
  std::int64_t average = 0;

  static constexpr auto kFields = std::tuple(&CategoryAverage::category, &CategoryAverage::average);
};

AuctionBid better(AuctionBid best, const AuctionBid& bid) {
  const auto rank = [](const AuctionBid& one) {
    return std::tuple(-one.price, one.time, one.number);
  };
  return rank(bid) < rank(best) ? bid : std::move(best);
}

// Of the highest bids of all auctions of a category.
Result<topology::Topology> average_price(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q4", options);
  valid_bids("q4", builder, options)
      .group_by_key()
      .reduce(better, Materialized("q4-highest-bids"))
      .group_by([](std::int64_t /*auction*/, const AuctionBid& bid) {
        return std::pair(bid.category, bid.price);
      })
      .aggregate([] { return CategorySum(); },
                 [](std::int64_t category, std::int64_t price, const CategorySum& sum) {
                   return CategorySum{category, sum.sum + price, sum.count + 1};
                 },
                 [](std::int64_t category, std::int64_t price, const CategorySum& sum) {
                   return CategorySum{category, sum.sum - price, sum.count - 1};
                 },
                 Materialized("q4-sums-per-category"))
      .to_stream()
      .filter([](const CategorySum& sum) { return sum.count > 0; })
      .map_values([](const CategorySum& sum) {
        return CategoryAverage{sum.category, sum.sum / sum.count};
      })
      .to("q4");
  return std::move(builder).build();
}

Result<topology::Topology> winning_bids(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q9", options);
  valid_bids("q9", builder, options)
      .group_by_key()
      .reduce(better, Materialized("q9-winning-bids"))
      .to_stream()
      .to("q9");
  return std::move(builder).build();
}

struct BidWithPage {
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;
  Millis time = 0;
  std::string page;

  static constexpr auto kFields =
      std::tuple(&BidWithPage::auction, &BidWithPage::bidder, &BidWithPage::price,
                 &BidWithPage::time, &BidWithPage::page);
};

// With a table that does not change.
Result<topology::Topology> side_input(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q13", options);
  const auto pages =
      builder.table<std::int64_t, std::string>(std::string(kPagesTopic), Materialized("q13-pages"));
  bids(builder)
      .select_key([](const Bid& bid) { return bid.auction % kPageCount; })
      .join(
          pages,
          [](const Bid& bid, const std::string& page) {
            return BidWithPage{bid.auction, bid.bidder, bid.price, bid.time, page};
          },
          Joined("q13-with-page"))
      .to("q13");
  return std::move(builder).build();
}

Result<topology::Topology> bids_of_category(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q20", options);
  auction_bids("q20", builder, auctions(builder).filter([](const Auction& auction) {
    return auction.category == kCategory;
  }),
               options)
      .to("q20");
  return std::move(builder).build();
}

}  // namespace

std::vector<Query> join_queries() {
  using Output = Query::Output;
  return {
      {"q3", Output::kUpdates, {kPeopleTopic, kAuctionsTopic}, local_items, show<LocalItem>},
      {"q4", Output::kUpdates, {kAuctionsTopic, kBidsTopic}, average_price, show<CategoryAverage>},
      {"q9", Output::kUpdates, {kAuctionsTopic, kBidsTopic}, winning_bids, show<AuctionBid>},
      {"q13", Output::kAppends, {kPagesTopic, kBidsTopic}, side_input, show<BidWithPage>},
      {"q20", Output::kAppends, {kAuctionsTopic, kBidsTopic}, bids_of_category, show<AuctionBid>}};
}

}  // namespace penstock::nexmark
