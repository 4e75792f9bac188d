// ResponseFormat writes the bytes of a response, with a Date that is formatted once a second.
//
// Threads   belongs to its loop's thread.
#pragma once

#include <chrono>
#include <string>

#include "net/http_message.h"
#include "os/clock.h"

namespace penstock::net {

struct ResponseFraming {
  bool http11 = true;
  bool head_only = false;  // the answer to HEAD
  bool close = false;
};

class ResponseFormat {
 public:
  explicit ResponseFormat(const os::Clock& clock) : clock_(clock) {}

  void append(std::string& to, const HttpResponse& response, const ResponseFraming& framing);

 private:
  void refresh_date();

  const os::Clock& clock_;
  std::chrono::sys_seconds date_second_{};
  std::string date_line_;
};

}  // namespace penstock::net
