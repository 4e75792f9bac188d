// The events of Nexmark: people, the auctions they open, the bids they make.
//
// An own generator with the benchmark's arithmetic. Of 50 events one is a person, three are
// auctions, 46 bids; half of the bids go to one auction of the newest hundred, three quarters come
// from one person, the others from whoever is active; ids run a little ahead, so that a bid may
// come before its auction. Unlike the benchmark's own, each event depends on its number and the
// seed alone: any part can be made again, by anybody, in any order.
//
// Source: P. Tucker, K. Tufte, V. Papadimos, D. Maier: NEXMark, a benchmark for queries over data
// streams (2002), in the form that nexmark/nexmark gave it for Flink.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>

namespace penstock::nexmark {

// Milliseconds since the epoch.
using Millis = std::int64_t;

struct Person {
  std::int64_t id = 0;
  std::string name;
  std::string email;
  std::string credit_card;
  std::string city;
  std::string state;
  Millis time = 0;
  std::string extra;

  static constexpr auto kFields =
      std::tuple(&Person::id, &Person::name, &Person::email, &Person::credit_card, &Person::city,
                 &Person::state, &Person::time, &Person::extra);
};

struct Auction {
  std::int64_t id = 0;
  std::string item_name;
  std::string description;
  std::int64_t initial_bid = 0;
  std::int64_t reserve = 0;
  Millis time = 0;
  Millis expires = 0;
  std::int64_t seller = 0;
  std::int64_t category = 0;
  std::string extra;

  static constexpr auto kFields =
      std::tuple(&Auction::id, &Auction::item_name, &Auction::description, &Auction::initial_bid,
                 &Auction::reserve, &Auction::time, &Auction::expires, &Auction::seller,
                 &Auction::category, &Auction::extra);
};

struct Bid {
  std::int64_t number = 0;  // the event's: tells bids of one millisecond apart
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;
  std::string channel;
  std::string url;
  Millis time = 0;
  std::string extra;

  static constexpr auto kFields = std::tuple(&Bid::number, &Bid::auction, &Bid::bidder, &Bid::price,
                                             &Bid::channel, &Bid::url, &Bid::time, &Bid::extra);
};

using Event = std::variant<Person, Auction, Bid>;

[[nodiscard]] Millis time_of(const Event& event);

class Generator {
 public:
  struct Options {
    std::uint64_t seed = 1;
    Millis start = 0;                       // time of event 0
    std::int64_t events_per_second = 1000;  // by their own times
  };

  explicit Generator(const Options& options) : options_(options) {}

  [[nodiscard]] Event event(std::int64_t number) const;
  [[nodiscard]] Millis time_of(std::int64_t number) const;

 private:
  Options options_;
};

}  // namespace penstock::nexmark
