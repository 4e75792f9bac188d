// QueryGather asks every stream thread for its share of a query and merges the answers.
//
// A store's partitions lie with several tasks, maybe on several threads. Each thread gets a
// QueryShare, answers it with what its tasks hold, right after a commit (StoreReader), and the
// last one merges: entries in order, `limit` of them, a cursor, the offsets. Partitions that
// nobody answered for are being restored or moved: the query is then refused with kBusy. Or they
// are another process's, where jobs are shared: then the answer says of how many it is.
//
// Threads   shares are answered on any threads; the callback runs on that of the last one.
// Errors    kBusy    not all partitions were answered for
//           kInvalid the cursor is not one of ours
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/guarded.h"
#include "core/ref_counted.h"
#include "core/result.h"
#include "engine/task.h"
#include "store/query.h"
#include "store/state_store.h"

namespace penstock::engine {

// What the tasks of one thread answer.
struct PartialAnswer {
  std::vector<store::ScanEntry> entries;  // sorted
  std::vector<store::CompleteTo> complete_to;
  std::int32_t partition_count = 0;  // answered for
  bool all_there = true;             // those are all that this thread has or is to have
};

// Who is asked.
struct QueryScope {
  std::size_t thread_count = 1;
  bool is_shared = false;  // other processes may have some of the partitions
};

class QueryGather final : public RefCounted {
 public:
  using Done = store::QueryPort::Done;

  // Understands the query; each thread in scope will be asked.
  [[nodiscard]] static Result<Ref<QueryGather>> make(const store::StoreQuery& query,
                                                     const store::StoreDescription& description,
                                                     QueryScope scope, Done& done);

  [[nodiscard]] const std::string& store() const { return description_.name; }

  [[nodiscard]] const store::ScanRequest& request() const { return request_; }

  // Each share exactly once.
  void add(PartialAnswer answer);
  void fail(const Error& error);

 private:
  struct State {
    std::size_t shares_left = 0;
    PartialAnswer all;
    std::optional<Error> error;
    Done done;
  };

  QueryGather(store::StoreDescription description, store::ScanRequest request, bool is_shared)
      : description_(std::move(description)), request_(std::move(request)), is_shared_(is_shared) {}

  [[nodiscard]] Result<store::StoreAnswer> merge(State& state) const;
  void answer(State& state) const;

  const store::StoreDescription description_;
  const store::ScanRequest request_;
  const bool is_shared_;
  Guarded<State> state_;
};

// One thread's part of a query. Dropped without an answer, it answers kFatal.
class QueryShare {
 public:
  explicit QueryShare(Ref<QueryGather> gather) : gather_(std::move(gather)) {}

  QueryShare(QueryShare&& other) noexcept = default;
  QueryShare& operator=(QueryShare&& other) noexcept = default;
  ~QueryShare();

  [[nodiscard]] const QueryGather& gather() const { return *gather_; }

  void add(PartialAnswer answer);
  void fail(const Error& error);

 private:
  Ref<QueryGather> gather_;
};

// Answers one share from the stores of a thread's tasks, in slices.
//
// Lifetime  the stores outlive it.
class StoreReader {
 public:
  StoreReader(QueryShare share, const std::vector<const store::StateStore*>& stores,
              bool all_there);

  // Looks at about `row_count` rows; true when it has answered.
  [[nodiscard]] bool advance(std::size_t row_count);

  // The stores are going away.
  void fail(const Error& error) { share_.fail(error); }

 private:
  QueryShare share_;
  PartialAnswer answer_;
  std::vector<std::unique_ptr<store::StoreScan>> scans_;
};

// A page's end as text, for the next page's beginning; and back.
[[nodiscard]] std::string format_cursor(const store::ScanPosition& position);
[[nodiscard]] Result<store::ScanPosition> parse_cursor(std::string_view cursor);

// The keys that `texts` may mean (see StoreQuery::key), in ascending order.
[[nodiscard]] Result<std::vector<store::Key>> keys_for(const std::vector<std::string>& texts,
                                                       std::size_t part_count);

}  // namespace penstock::engine
