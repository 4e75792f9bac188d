#include "nexmark/naive.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "core/check.h"

namespace penstock::nexmark {

namespace {

using Rows = std::vector<std::string>;

constexpr Millis kWindow = 10'000;
constexpr Millis kDayMillis = 86'400'000;

// With '|' in between.
template <typename... Values>
std::string row(const Values&... values) {
  std::string text;
  const auto add = [&](const auto& value) {
    text += text.empty() ? "" : "|";
    if constexpr (std::is_convertible_v<decltype(value), std::string_view>) {
      text += value;
    } else {
      text += std::to_string(value);
    }
  };
  (add(values), ...);
  return text;
}

std::string joined(const Rows& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : ",") + part;
  }
  return text;
}

struct Tables {
  std::vector<Person> people;
  std::vector<Auction> auctions;
  std::vector<Bid> bids;
  std::map<std::int64_t, const Person*> person;
  std::map<std::int64_t, const Auction*> auction;
};

Tables make_tables(const std::vector<Event>& events) {
  Tables tables;
  for (const Event& event : events) {
    if (const auto* person = std::get_if<Person>(&event)) {
      tables.people.push_back(*person);
    } else if (const auto* auction = std::get_if<Auction>(&event)) {
      tables.auctions.push_back(*auction);
    } else {
      tables.bids.push_back(std::get<Bid>(event));
    }
  }
  for (const Person& person : tables.people) {
    tables.person[person.id] = &person;
  }
  for (const Auction& auction : tables.auctions) {
    tables.auction[auction.id] = &auction;
  }
  return tables;
}

Rows each_bid(const Tables& tables,
              const std::function<std::optional<std::string>(const Bid&)>& make) {
  Rows rows;
  for (const Bid& bid : tables.bids) {
    if (std::optional<std::string> made = make(bid)) {
      rows.push_back(*std::move(made));
    }
  }
  return rows;
}

Rows q0(const Tables& tables) {
  return each_bid(tables, [](const Bid& bid) {
    return row(bid.auction, bid.bidder, bid.price, bid.time, bid.extra);
  });
}

Rows q1(const Tables& tables) {
  return each_bid(tables, [](const Bid& bid) {
    return row(bid.auction, bid.bidder, bid.price * 908, bid.time, bid.extra);
  });
}

Rows q2(const Tables& tables) {
  return each_bid(tables, [](const Bid& bid) {
    return bid.auction % 123 == 0 ? std::optional(row(bid.auction, bid.price)) : std::nullopt;
  });
}

Rows q3(const Tables& tables) {
  Rows rows;
  for (const Auction& auction : tables.auctions) {
    const auto seller = tables.person.find(auction.seller);
    if (auction.category != 10 || seller == tables.person.end()) {
      continue;
    }
    const Person& person = *seller->second;
    if (person.state == "OR" || person.state == "ID" || person.state == "CA") {
      rows.push_back(row(person.name, person.city, person.state, auction.id));
    }
  }
  return rows;
}

// The winning bid of each auction that has one.
std::map<std::int64_t, Bid> winners(const Tables& tables) {
  std::map<std::int64_t, Bid> best;
  for (const Bid& bid : tables.bids) {
    const auto auction = tables.auction.find(bid.auction);
    if (auction == tables.auction.end() || bid.time < auction->second->time ||
        bid.time > auction->second->expires) {
      continue;
    }
    const auto [found, is_first] = best.try_emplace(bid.auction, bid);
    if (!is_first && bid.price > found->second.price) {  // bids are in order of time
      found->second = bid;
    }
  }
  return best;
}

Rows q4(const Tables& tables) {
  std::map<std::int64_t, std::vector<std::int64_t>> prices;
  for (const auto& [id, bid] : winners(tables)) {
    prices[tables.auction.at(id)->category].push_back(bid.price);
  }
  Rows rows;
  for (const auto& [category, all] : prices) {
    std::int64_t sum = 0;
    for (const std::int64_t price : all) {
      sum += price;
    }
    rows.push_back(row(category, sum / static_cast<std::int64_t>(all.size())));
  }
  return rows;
}

Rows q5(const Tables& tables) {
  std::map<Millis, std::map<std::int64_t, std::int64_t>> windows;
  for (const Bid& bid : tables.bids) {
    for (Millis start = bid.time / 2000 * 2000; start > bid.time - kWindow; start -= 2000) {
      ++windows[start][bid.auction];
    }
  }
  Rows rows;
  for (const auto& [start, counts] : windows) {
    std::int64_t most = 0;
    Rows auctions;
    for (const auto& [auction, count] : counts) {
      most = std::max(most, count);
    }
    for (const auto& [auction, count] : counts) {
      if (count == most) {
        auctions.push_back(row(auction));
      }
    }
    rows.push_back(row(start, most, joined(auctions)));
  }
  return rows;
}

Rows q7(const Tables& tables) {
  std::map<Millis, std::vector<Bid>> highest;
  for (const Bid& bid : tables.bids) {
    std::vector<Bid>& best = highest[bid.time / kWindow * kWindow];
    if (!best.empty() && bid.price > best.front().price) {
      best.clear();
    }
    if (best.empty() || bid.price == best.front().price) {
      best.push_back(bid);
    }
  }
  Rows rows;
  for (const auto& [start, best] : highest) {
    Rows bids;
    for (const Bid& bid : best) {
      bids.push_back(row(bid.number, bid.auction, bid.bidder, bid.price));
    }
    rows.push_back(row(start, joined(bids)));
  }
  return rows;
}

Rows q8(const Tables& tables) {
  std::set<std::pair<std::int64_t, Millis>> sellers;
  for (const Auction& auction : tables.auctions) {
    sellers.emplace(auction.seller, auction.time / kWindow * kWindow);
  }
  Rows rows;
  for (const Person& person : tables.people) {
    const Millis window = person.time / kWindow * kWindow;
    if (sellers.contains({person.id, window})) {
      rows.push_back(row(person.id, person.name, window));
    }
  }
  return rows;
}

Rows q9(const Tables& tables) {
  Rows rows;
  for (const auto& [id, bid] : winners(tables)) {
    const Auction& auction = *tables.auction.at(id);
    rows.push_back(row(id, auction.item_name, auction.category, auction.seller, auction.time,
                       auction.expires, bid.number, bid.bidder, bid.price, bid.time));
  }
  return rows;
}

Rows q11(const Tables& tables) {
  struct Session {
    std::int64_t count = 0;
    Millis begin = 0;
    Millis last = 0;
  };

  std::map<std::int64_t, std::vector<Session>> sessions;
  for (const Bid& bid : tables.bids) {
    std::vector<Session>& of_user = sessions[bid.bidder];
    if (of_user.empty() || bid.time > of_user.back().last + kWindow) {
      of_user.push_back({0, bid.time, bid.time});
    }
    ++of_user.back().count;
    of_user.back().last = bid.time;
  }
  Rows rows;
  for (const auto& [bidder, of_user] : sessions) {
    for (const Session& session : of_user) {
      rows.push_back(row(bidder, session.count, session.begin, session.last + kWindow));
    }
  }
  return rows;
}

Rows q12(const Tables& tables) {
  const Millis first = tables.people.front().time / kWindow * kWindow;  // event 0 is a person
  std::map<std::pair<std::int64_t, Millis>, std::int64_t> counts;
  for (const Bid& bid : tables.bids) {
    ++counts[{bid.bidder, first + bid.number / 10'000 * kWindow}];
  }
  Rows rows;
  for (const auto& [key, count] : counts) {
    rows.push_back(row(key.first, count, key.second, key.second + kWindow));
  }
  return rows;
}

Rows q13(const Tables& tables) {
  return each_bid(tables, [](const Bid& bid) {
    return row(bid.auction, bid.bidder, bid.price, bid.time,
               "page " + std::to_string(bid.auction % 10'000));
  });
}

Rows q14(const Tables& tables) {
  return each_bid(tables, [](const Bid& bid) -> std::optional<std::string> {
    const std::int64_t euro = bid.price * 908;
    if (euro <= 1'000'000'000 || euro >= 50'000'000'000) {
      return std::nullopt;
    }
    const Millis hour = bid.time / 3'600'000 % 24;
    const char* time = "otherTime";
    if (hour >= 8 && hour <= 18) {
      time = "dayTime";
    } else if (hour <= 6 || hour >= 20) {
      time = "nightTime";
    }
    return row(bid.auction, bid.bidder, euro, time, bid.time, bid.extra,
               std::ranges::count(bid.extra, 'c'));
  });
}

int rank_of(const Bid& bid) {
  return bid.price < 10'000 ? 1 : bid.price < 1'000'000 ? 2 : 3;
}

// Counts of bids, of bidders and of auctions: all, and by rank.
Rows statistics(const Tables& tables, const std::function<std::string(const Bid&)>& channel_of) {
  struct Group {
    Millis latest = 0;
    std::array<std::int64_t, 4> bids{};
    std::array<std::set<std::int64_t>, 4> bidders;
    std::array<std::set<std::int64_t>, 4> auctions;
  };

  std::map<std::pair<Millis, std::string>, Group> groups;
  for (const Bid& bid : tables.bids) {
    Group& group = groups[{bid.time / kDayMillis, channel_of(bid)}];
    group.latest = std::max(group.latest, bid.time);
    for (const int rank : {0, rank_of(bid)}) {
      const auto index = static_cast<std::size_t>(rank);
      ++group.bids.at(index);
      group.bidders.at(index).insert(bid.bidder);
      group.auctions.at(index).insert(bid.auction);
    }
  }
  Rows rows;
  for (const auto& [key, group] : groups) {
    std::string text = row(key.first);
    text += "|" + key.second + "|" + row(group.latest);
    for (const std::int64_t count : group.bids) {
      text += "|" + row(count);
    }
    for (const auto* sets : {&group.bidders, &group.auctions}) {
      for (const auto& set : *sets) {
        text += "|" + row(set.size());
      }
    }
    rows.push_back(std::move(text));
  }
  return rows;
}

Rows q15(const Tables& tables) {
  return statistics(tables, [](const Bid&) { return std::string(); });
}

Rows q16(const Tables& tables) {
  return statistics(tables, [](const Bid& bid) { return bid.channel; });
}

Rows q17(const Tables& tables) {
  std::map<std::pair<std::int64_t, Millis>, std::vector<const Bid*>> groups;
  for (const Bid& bid : tables.bids) {
    groups[{bid.auction, bid.time / kDayMillis}].push_back(&bid);
  }
  Rows rows;
  for (const auto& [key, bids] : groups) {
    std::array<std::int64_t, 4> counts{};
    std::int64_t sum = 0;
    for (const Bid* bid : bids) {
      ++counts.at(0);
      ++counts.at(static_cast<std::size_t>(rank_of(*bid)));
      sum += bid->price;
    }
    const auto [lowest, highest] = std::ranges::minmax(bids, {}, &Bid::price);
    rows.push_back(row(key.first, key.second, counts[0], counts[1], counts[2], counts[3],
                       lowest->price, highest->price, sum));
  }
  return rows;
}

Rows q18(const Tables& tables) {
  std::map<std::pair<std::int64_t, std::int64_t>, const Bid*> latest;
  for (const Bid& bid : tables.bids) {
    latest[{bid.bidder, bid.auction}] = &bid;
  }
  Rows rows;
  for (const auto& [key, bid] : latest) {
    rows.push_back(row(bid->number, bid->auction, bid->bidder, bid->price, bid->channel, bid->url,
                       bid->time, bid->extra));
  }
  return rows;
}

Rows q19(const Tables& tables) {
  std::map<std::int64_t, std::vector<const Bid*>> groups;
  for (const Bid& bid : tables.bids) {
    groups[bid.auction].push_back(&bid);
  }
  Rows rows;
  for (auto& [auction, bids] : groups) {
    std::ranges::stable_sort(bids, std::greater(), &Bid::price);
    bids.resize(std::min<std::size_t>(bids.size(), 10));
    Rows top;
    for (const Bid* bid : bids) {
      top.push_back(row(bid->number, bid->bidder, bid->price));
    }
    rows.push_back(row(auction, joined(top)));
  }
  return rows;
}

Rows q20(const Tables& tables) {
  return each_bid(tables, [&](const Bid& bid) -> std::optional<std::string> {
    const auto found = tables.auction.find(bid.auction);
    if (found == tables.auction.end() || found->second->category != 10) {
      return std::nullopt;
    }
    const Auction& auction = *found->second;
    return row(auction.id, auction.item_name, auction.category, auction.seller, auction.time,
               auction.expires, bid.number, bid.bidder, bid.price, bid.time);
  });
}

Rows q22(const Tables& tables) {
  return each_bid(tables, [](const Bid& bid) {
    // https://www.nexmark.com/a/b/c/item.htm
    const std::string path = bid.url.substr(std::string("https://www.nexmark.com/").size());
    const std::size_t first = path.find('/');
    const std::size_t second = path.find('/', first + 1);
    const std::size_t third = path.find('/', second + 1);
    return row(bid.auction, bid.bidder, bid.price, bid.channel, path.substr(0, first),
               path.substr(first + 1, second - first - 1),
               path.substr(second + 1, third - second - 1));
  });
}

}  // namespace

std::vector<std::string> naive_results(std::string_view query, const std::vector<Event>& events) {
  static const std::map<std::string_view, Rows (*)(const Tables&)> by_name = {
      {"q0", q0},   {"q1", q1},   {"q2", q2},   {"q3", q3},   {"q4", q4},
      {"q5", q5},   {"q7", q7},   {"q8", q8},   {"q9", q9},   {"q11", q11},
      {"q12", q12}, {"q13", q13}, {"q14", q14}, {"q15", q15}, {"q16", q16},
      {"q17", q17}, {"q18", q18}, {"q19", q19}, {"q20", q20}, {"q22", q22}};
  const auto found = by_name.find(query);
  PENSTOCK_CHECK(found != by_name.end());
  Rows rows = found->second(make_tables(events));
  std::ranges::sort(rows);
  return rows;
}

}  // namespace penstock::nexmark
