#include "nexmark/events.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "os/random.h"

namespace penstock::nexmark {

namespace {

using os::SeededRandom;

constexpr std::int64_t kPeople = 1;
constexpr std::int64_t kAuctions = 3;
constexpr std::int64_t kEpoch = 50;  // events: people, auctions, and the rest bids

constexpr std::int64_t kFirstId = 1000;
constexpr std::int64_t kFirstCategory = 10;
constexpr std::int64_t kCategories = 5;
constexpr std::int64_t kHotBatch = 100;    // one of so many auctions or people in a row is hot
constexpr std::uint64_t kHotAuctions = 2;  // all but one in so many go to the hot one
constexpr std::uint64_t kHotPeople = 4;
constexpr std::int64_t kInFlight = 100;
constexpr std::int64_t kActivePeople = 1000;
constexpr std::int64_t kLead = 10;
constexpr std::uint64_t kChannels = 10'000;

constexpr std::size_t kPersonBytes = 200;
constexpr std::size_t kAuctionBytes = 500;
constexpr std::size_t kBidBytes = 100;

constexpr std::array<std::string_view, 11> kFirstNames = {
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array<std::string_view, 9> kLastNames = {
    "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"};
constexpr std::array<std::string_view, 10> kCities = {
    "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
    "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array<std::string_view, 6> kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};
constexpr std::array<std::string_view, 4> kHotChannels = {"Google", "Facebook", "Baidu", "Apple"};

// The newest person there is at an event, counted from 0.
std::int64_t last_person(std::int64_t number) {
  return number / kEpoch * kPeople + std::min(number % kEpoch, kPeople - 1);
}

// The newest auction; -1 before the first.
std::int64_t last_auction(std::int64_t number) {
  const std::int64_t offset = std::min(number % kEpoch - kPeople, kAuctions - 1);
  return number / kEpoch * kAuctions + std::max<std::int64_t>(offset, -1);
}

std::int64_t below(SeededRandom& random, std::int64_t bound) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound)));
}

std::int64_t some_person(std::int64_t number, SeededRandom& random) {
  const std::int64_t count = last_person(number) + 1;
  const std::int64_t active = std::min(count, kActivePeople);
  return count - active + below(random, active + kLead);
}

std::int64_t some_auction(std::int64_t number, SeededRandom& random) {
  const std::int64_t last = std::max<std::int64_t>(last_auction(number), 0);
  const std::int64_t first = std::max<std::int64_t>(last - kInFlight, 0);
  return first + below(random, last - first + 1 + kLead);
}

std::int64_t price(SeededRandom& random) {
  const double uniform = static_cast<double>(random.next() >> 11U) * 0x1p-53;
  return std::llround(std::pow(10.0, uniform * 6.0) * 100.0);
}

// Letters of a number, so that text costs one draw for a dozen characters.
void add_letters(std::size_t count, SeededRandom& random, std::string& to) {
  std::uint64_t draw = 0;
  for (std::size_t index = 0; index < count; ++index) {
    draw = index % 12 == 0 ? random.next() : draw / 26;
    to += static_cast<char>('a' + draw % 26);
  }
}

// 3 to `size_max` letters.
std::string word(std::size_t size_max, SeededRandom& random) {
  std::string text;
  add_letters(3 + random.below(size_max - 3), random, text);
  return text;
}

// What brings an event of `size` bytes to about `wanted`, a fifth more or less.
std::string filling(std::size_t size, std::size_t wanted, SeededRandom& random) {
  std::string text;
  if (size < wanted) {
    const std::size_t missing = wanted - size;
    const std::size_t spread = missing / 5;
    add_letters(missing - spread + random.below(2 * spread + 1), random, text);
  }
  return text;
}

template <std::size_t kCount>
std::string one_of(const std::array<std::string_view, kCount>& all, SeededRandom& random) {
  return std::string(all.at(random.below(kCount)));
}

Person make_person(std::int64_t number, Millis time, SeededRandom& random) {
  Person person;
  person.id = last_person(number) + kFirstId;
  person.name = one_of(kFirstNames, random) + " " + one_of(kLastNames, random);
  person.email = word(7, random) + "@" + word(5, random) + ".com";
  for (int group = 0; group < 4; ++group) {
    const std::string digits = std::to_string(10'000 + random.below(10'000)).substr(1);
    person.credit_card += (group == 0 ? "" : " ") + digits;
  }
  person.city = one_of(kCities, random);
  person.state = one_of(kStates, random);
  person.time = time;
  const std::size_t size = 16 + person.name.size() + person.email.size() +
                           person.credit_card.size() + person.city.size() + person.state.size();
  person.extra = filling(size, kPersonBytes, random);
  return person;
}

Auction make_auction(std::int64_t number, Millis time, Millis horizon, SeededRandom& random) {
  Auction auction;
  auction.id = last_auction(number) + kFirstId;
  const std::int64_t hot = last_person(number) / kHotBatch * kHotBatch;
  auction.seller = (random.below(kHotPeople) > 0 ? hot : some_person(number, random)) + kFirstId;
  auction.category = kFirstCategory + below(random, kCategories);
  auction.initial_bid = price(random);
  auction.reserve = auction.initial_bid + price(random);
  auction.time = time;
  auction.expires = time + 1 + below(random, std::max<Millis>(horizon * 2, 1));
  auction.item_name = word(20, random);
  auction.description = word(100, random);
  const std::size_t size = 56 + auction.item_name.size() + auction.description.size();
  auction.extra = filling(size, kAuctionBytes, random);
  return auction;
}

Bid make_bid(std::int64_t number, Millis time, SeededRandom& random) {
  Bid bid;
  bid.number = number;
  const std::int64_t hot_auction = last_auction(number) / kHotBatch * kHotBatch;
  bid.auction =
      (random.below(kHotAuctions) > 0 ? hot_auction : some_auction(number, random)) + kFirstId;
  // The second of its batch: the first is the hot seller.
  const std::int64_t hot_bidder = last_person(number) / kHotBatch * kHotBatch + 1;
  bid.bidder = (random.below(kHotPeople) > 0 ? hot_bidder : some_person(number, random)) + kFirstId;
  bid.price = price(random);
  std::uint64_t page = 0;
  if (random.below(2) > 0) {
    page = random.below(kHotChannels.size());
    bid.channel = kHotChannels.at(page);
  } else {
    page = random.below(kChannels);
    bid.channel = "channel-" + std::to_string(page);
  }
  // The same channel has the same pages.
  SeededRandom of_channel(page + (bid.channel[0] == 'c' ? kHotChannels.size() : 0));
  bid.url = "https://www.nexmark.com";
  for (int part = 0; part < 3; ++part) {
    bid.url += "/" + word(6, of_channel);
  }
  bid.url += "/item.htm?query=1";
  bid.time = time;
  bid.extra = filling(32, kBidBytes, random);
  return bid;
}

}  // namespace

Millis time_of(const Event& event) {
  return std::visit([](const auto& kind) { return kind.time; }, event);
}

Millis Generator::time_of(std::int64_t number) const {
  return options_.start + number * 1000 / options_.events_per_second;
}

Event Generator::event(std::int64_t number) const {
  // Seeds that differ by a factor are far apart in the generator's states.
  SeededRandom random(options_.seed * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(number));
  const Millis time = time_of(number);
  const std::int64_t offset = number % kEpoch;
  if (offset < kPeople) {
    return make_person(number, time, random);
  }
  if (offset < kPeople + kAuctions) {
    const Millis horizon = time_of(number + kInFlight * kEpoch / kAuctions) - time;
    return make_auction(number, time, horizon, random);
  }
  return make_bid(number, time, random);
}

}  // namespace penstock::nexmark
