// Queries 0, 1, 2, 14, 22: bid by bid.
#include <algorithm>
#include <array>
#include <chrono>

#include "nexmark/kit.h"

namespace penstock::nexmark {

namespace {

using dsl::StreamBuilder;

constexpr std::int64_t kHour = 3600 * 1000;

// Money is in cents; what the benchmark multiplies by 0.908 is in thousandths of a cent here.
constexpr std::int64_t kEuroPerMille = 908;

struct PlainBid {
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;
  Millis time = 0;
  std::string extra;

  static constexpr auto kFields = std::tuple(&PlainBid::auction, &PlainBid::bidder,
                                             &PlainBid::price, &PlainBid::time, &PlainBid::extra);
};

struct AuctionPrice {
  std::int64_t auction = 0;
  std::int64_t price = 0;

  static constexpr auto kFields = std::tuple(&AuctionPrice::auction, &AuctionPrice::price);
};

struct ClassifiedBid {
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t euro = 0;
  std::string daytime;
  Millis time = 0;
  std::string extra;
  std::int64_t letters = 0;

  static constexpr auto kFields =
      std::tuple(&ClassifiedBid::auction, &ClassifiedBid::bidder, &ClassifiedBid::euro,
                 &ClassifiedBid::daytime, &ClassifiedBid::time, &ClassifiedBid::extra,
                 &ClassifiedBid::letters);
};

struct BidPage {
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;
  std::string channel;
  std::string dir1;
  std::string dir2;
  std::string dir3;

  static constexpr auto kFields =
      std::tuple(&BidPage::auction, &BidPage::bidder, &BidPage::price, &BidPage::channel,
                 &BidPage::dir1, &BidPage::dir2, &BidPage::dir3);
};

Result<topology::Topology> pass_through(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q0", options);
  bids(builder)
      .map_values([](const Bid& bid) {
        return PlainBid{bid.auction, bid.bidder, bid.price, bid.time, bid.extra};
      })
      .to("q0");
  return std::move(builder).build();
}

Result<topology::Topology> currency(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q1", options);
  bids(builder)
      .map_values([](const Bid& bid) {
        return PlainBid{bid.auction, bid.bidder, bid.price * kEuroPerMille, bid.time, bid.extra};
      })
      .to("q1");
  return std::move(builder).build();
}

Result<topology::Topology> selection(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q2", options);
  bids(builder)
      .filter([](const Bid& bid) { return bid.auction % 123 == 0; })
      .map_values([](const Bid& bid) {
        return AuctionPrice{bid.auction, bid.price};
      })
      .to("q2");
  return std::move(builder).build();
}

std::string daytime(Millis time) {
  const std::int64_t hour = time % kDay / kHour;
  if (hour >= 8 && hour <= 18) {
    return "dayTime";
  }
  return hour <= 6 || hour >= 20 ? "nightTime" : "otherTime";
}

Result<topology::Topology> calculation(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q14", options);
  bids(builder)
      .map_values([](const Bid& bid) {
        return ClassifiedBid{
            bid.auction, bid.bidder, bid.price * kEuroPerMille,         daytime(bid.time),
            bid.time,    bid.extra,  std::ranges::count(bid.extra, 'c')};
      })
      .filter([](const ClassifiedBid& bid) {
        return bid.euro > 1'000'000'000 && bid.euro < 50'000'000'000;
      })
      .to("q14");
  return std::move(builder).build();
}

// Part `index` of what '/' separates.
std::string part(const std::string& url, int index) {
  std::size_t begin = 0;
  for (int passed = 0; passed < index; ++passed) {
    const std::size_t next = url.find('/', begin);
    if (next == std::string::npos) {
      return {};
    }
    begin = next + 1;
  }
  return url.substr(begin, url.find('/', begin) - begin);
}

Result<topology::Topology> url_directories(const QueryOptions& options) {
  StreamBuilder builder = builder_for("q22", options);
  bids(builder)
      .map_values([](const Bid& bid) {
        return BidPage{bid.auction,      bid.bidder,       bid.price,       bid.channel,
                       part(bid.url, 3), part(bid.url, 4), part(bid.url, 5)};
      })
      .to("q22");
  return std::move(builder).build();
}

}  // namespace

std::vector<Query> stateless_queries() {
  using Output = Query::Output;
  return {{"q0", Output::kAppends, {kBidsTopic}, pass_through, show<PlainBid>},
          {"q1", Output::kAppends, {kBidsTopic}, currency, show<PlainBid>},
          {"q2", Output::kAppends, {kBidsTopic}, selection, show<AuctionPrice>},
          {"q14", Output::kAppends, {kBidsTopic}, calculation, show<ClassifiedBid>},
          {"q22", Output::kAppends, {kBidsTopic}, url_directories, show<BidPage>}};
}

}  // namespace penstock::nexmark
