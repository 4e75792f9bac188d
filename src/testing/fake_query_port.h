// FakeQueryPort is a QueryPort without an engine: tests say what it answers, and see what was
// asked.
//
// Queries wait until answer_all(), so that a test decides what happens in between.
//
// Threads   one.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "store/query.h"

namespace penstock::testing {

class FakeQueryPort final : public store::QueryPort {
 public:
  using Answer = std::function<Result<store::StoreAnswer>(const store::StoreQuery&)>;

  std::vector<store::StoreDescription> descriptions;
  Answer answer = [](const store::StoreQuery&) { return store::StoreAnswer{}; };
  std::vector<store::StoreQuery> asked;

  [[nodiscard]] std::vector<store::StoreDescription> stores() const override {
    return descriptions;
  }

  void query(store::StoreQuery query, Done done) override {
    asked.push_back(query);
    waiting_.emplace_back(std::move(query), std::move(done));
  }

  void answer_all() {
    for (auto& [query, done] : std::exchange(waiting_, {})) {
      done(answer(query));
    }
  }

 private:
  std::vector<std::pair<store::StoreQuery, Done>> waiting_;
};

}  // namespace penstock::testing
