// RequestPool keeps a loop's used requests, with the memory of their heads and bodies.
//
// Threads   belongs to its loop's thread.
// Lifetime  outlives every RequestPtr taken from it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/units.h"
#include "net/http_message.h"

namespace penstock::net {

class RequestPool {
 public:
  static constexpr std::size_t kRequestsMax = 32;
  static constexpr std::size_t kBodyCapacityMax = 1 * kMiB;

  // An empty request; its buffers may have capacity.
  [[nodiscard]] RequestPtr take();

 private:
  friend struct RequestRecycler;
  void put_back(std::unique_ptr<HttpRequest> request);

  std::vector<std::unique_ptr<HttpRequest>> free_;
};

}  // namespace penstock::net
