// The three pages with the most views of each five minutes, of the views on standard input.
#include "dsl/windows.h"
#include "kit/program.h"
#include "trending/trending.h"

namespace {

using penstock::ByteView;
using penstock::dsl::Serde;

std::optional<kit::Record> parse(std::istream& words) {
  std::string page;
  std::string user;
  std::int64_t time = 0;
  words >> page >> user >> time;
  return words ? std::optional(kit::make_record("views", page, user, time)) : std::nullopt;
}

std::string print(ByteView key, ByteView value) {
  const auto begin = Serde<std::int64_t>::decode(key);
  const auto pages = Serde<std::vector<trending::PageViews>>::decode(value);
  std::string line = std::to_string(*begin);
  for (const trending::PageViews& page : *pages) {
    line += " " + page.page + "=" + std::to_string(page.views);
  }
  return line;
}

}  // namespace

int main(int count, char** arguments) {
  return kit::run({.name = "trending",
                   .usage = "  /tea anna 1000     (page, user, milliseconds)",
                   .inputs = {"views"},
                   .output = "trending",
                   .make_topology = trending::make_topology,
                   .parse = parse,
                   .print = print},
                  count, arguments);
}
