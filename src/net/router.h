// Router hands each request to the handler of its method and path, so that rooms can share a port.
//
//   router.add(Method::kPost, "/v1/topics/{topic}/events", [&](RequestPtr r, Responder a) {...});
//
// A pattern is matched segment by segment: `{name}` takes one whole segment, `{name...}` at the end
// takes all that are left (at least one). Matched segments are percent-decoded into
// path_parameters, in order. Fixed segments win over parameters. No route: 404; other methods
// only: 405 with Allow. HEAD is answered by GET's route (the server leaves the body out).
//
// Threads   one Router per event loop; add() before the first request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/unique_function.h"
#include "net/http_message.h"
#include "net/http_server.h"

namespace penstock::net {

class Router final : public HttpHandler {
 public:
  using Route = UniqueFunction<void(RequestPtr, Responder)>;

  // `pattern` is one of ours: a malformed one, or the same twice, is a programmer error (checked).
  void add(Method method, std::string_view pattern, Route route);

  void handle(RequestPtr request, Responder responder) override;

 private:
  struct Entry {
    Method method;
    std::vector<std::string> segments;
    Route route;
  };

  std::vector<Entry> entries_;
};

}  // namespace penstock::net
