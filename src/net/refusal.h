// Refusal is why a request cannot be taken: the answer's status, code and message.
#pragma once

#include <string>
#include <string_view>

namespace penstock::net {

struct Refusal {
  int status;
  std::string_view code;  // a literal
  std::string message;
};

}  // namespace penstock::net
