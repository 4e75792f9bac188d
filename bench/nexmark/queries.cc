#include "nexmark/queries.h"

#include <algorithm>

namespace penstock::nexmark {

std::span<const Query> queries() {
  static const std::vector<Query> all = [] {
    std::vector<Query> found;
    for (const auto& group :
         {stateless_queries(), window_queries(), join_queries(), statistics_queries()}) {
      found.insert(found.end(), group.begin(), group.end());
    }
    std::ranges::sort(found, {}, [](const Query& query) {
      return std::pair(query.name.size(), query.name);  // q2 before q11
    });
    return found;
  }();
  return all;
}

const Query* find_query(std::string_view name) {
  const auto found = std::ranges::find(queries(), name, &Query::name);
  return found == queries().end() ? nullptr : &*found;
}

}  // namespace penstock::nexmark
