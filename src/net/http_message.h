// HttpRequest and HttpResponse are what a handler gets and gives; no socket and no Beast in them.
//
// A request is complete when a handler sees it: head parsed and checked, body received, unchunked
// and decompressed, within all limits. Requests are recycled by their event loop, with the memory
// of head and body: let go of them early, most of all before waiting for something.
//
// Threads   a request stays on its loop's thread.
// Lifetime  all views in a request point into its own memory and move with its RequestPtr.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/memory_budget.h"
#include "core/padded_buffer.h"
#include "core/result.h"
#include "os/clock.h"

namespace penstock::net {

enum class Method { kGet, kHead, kPost, kPut, kDelete, kPatch, kOptions, kOther };

[[nodiscard]] std::string_view to_string(Method method);

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

struct HttpRequest {
  Method method = Method::kGet;
  std::string_view target;  // as sent, in origin form: path and query
  std::string_view path;    // not decoded
  std::string_view query;   // after the '?', not decoded
  std::vector<HeaderField> headers;
  std::vector<std::string> path_parameters;  // what {…} of the route matched, decoded, in order
  PaddedBuffer body;
  std::string remote_address;  // "192.0.2.1" or "2001:db8::1", without the port
  os::TimePoint started_at;    // its first byte was read
  os::TimePoint received_at;   // its last byte was read

  // The first header of that name, in any case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;

  // How many headers of that name there are.
  [[nodiscard]] std::size_t header_count(std::string_view name) const;

  // The decoded value of the first query parameter of that name.
  [[nodiscard]] std::optional<std::string> query_parameter(std::string_view name) const;

  std::string head;                           // the bytes that the views above point into
  std::optional<MemoryBudget::Share> memory;  // what this request holds of the server's budget
};

// Hands requests back to the loop they came from; without one (in tests) it deletes them.
class RequestPool;

struct RequestRecycler {
  RequestPool* pool = nullptr;
  void operator()(HttpRequest* request) const;
};

using RequestPtr = std::unique_ptr<HttpRequest, RequestRecycler>;

// The views need to live only until Responder::send() returns.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string_view body{};
  std::string_view extra_headers{};  // whole lines, each with its CRLF: "Retry-After: 1\r\n"
  bool close = false;                // the connection ends after this response
};

// The phrase of a status line: "Not Found".
[[nodiscard]] std::string_view reason_phrase(int status);

// {"code":"...","message":"..."}, the body of every error answer.
[[nodiscard]] std::string error_body(std::string_view code, std::string_view message);

// Undoes %XX (and '+' for a space where `plus_is_space`). kInvalid: a '%' without two hex digits.
enum class PlusSign { kLiteral, kSpace };
[[nodiscard]] Result<std::string> percent_decode(std::string_view text, PlusSign plus);

}  // namespace penstock::net
