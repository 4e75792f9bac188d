#include "store/query.h"

#include "core/check.h"

namespace penstock::store {

std::string_view to_string(AggregateColumn::Kind kind) {
  switch (kind) {
    case AggregateColumn::Kind::kCount:
      return "count";
    case AggregateColumn::Kind::kSum:
      return "sum";
    case AggregateColumn::Kind::kMin:
      return "min";
    case AggregateColumn::Kind::kMax:
      return "max";
    case AggregateColumn::Kind::kAvg:
      return "avg";
  }
  check_failed("unknown AggregateColumn::Kind", __FILE__, __LINE__);
}

}  // namespace penstock::store
