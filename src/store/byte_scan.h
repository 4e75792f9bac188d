// ByteScan answers a query on a byte store: one page of entries, from where the last one ended.
//
// A byte store does not know what its bytes mean, so an answer shows them as text: keys and values
// that are UTF-8 as they are, others in base64.
//
// Lifetime  the store behind `visit` outlives it.
#pragma once

#include <functional>
#include <vector>

#include "core/bytes.h"
#include "core/function_ref.h"
#include "store/state_store.h"

namespace penstock::store {

class ByteScan final : public StoreScan {
 public:
  struct Entry {
    ByteView key;
    std::optional<Window> window;
    ByteView value;
    Timestamp timestamp;
  };

  // False ends the visit.
  using Visitor = FunctionRef<bool(const Entry& entry)>;
  // Visits entries by key, then window, beginning with the first whose key is not less.
  using Visit = std::function<void(ByteView from_key, const Visitor& visitor)>;

  ByteScan(Visit visit, ScanRequest request);

  // Always done at once: a page is short.
  [[nodiscard]] bool advance(std::size_t row_count) override;
  [[nodiscard]] std::vector<ScanEntry> take() override;

 private:
  void visit_key(ByteView key);
  // False when the page is full.
  [[nodiscard]] bool offer(const Entry& entry);

  Visit visit_;
  const ScanRequest request_;
  std::vector<ScanEntry> page_;
};

}  // namespace penstock::store
