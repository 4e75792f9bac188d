// Any bytes may come over a connection: reading a request's head and body must not crash, leave its
// bounds or its limits, or depend on how the bytes are cut into pieces.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/check.h"
#include "core/memory_budget.h"
#include "net/body_reader.h"
#include "net/decoder_pool.h"
#include "net/http_head.h"
#include "net/http_server.h"

namespace penstock::net {
namespace {

constexpr HttpLimits kLimits = {.body_bytes_max = 64 * kKiB, .head_bytes_max = 4 * kKiB};

// What became of the bytes: a refusal's code, or the request, or nothing yet.
struct Fate {
  std::string refusal;
  std::string head;
  std::string body;
  bool complete = false;

  friend bool operator==(const Fate&, const Fate&) = default;
};

void check_views(const HttpRequest& request) {
  const auto inside = [&](std::string_view part) {
    return part.empty() || (part.data() >= request.head.data() &&
                            part.data() + part.size() <= request.head.data() + request.head.size());
  };
  PENSTOCK_CHECK(inside(request.target) && inside(request.query));
  PENSTOCK_CHECK(inside(request.path) || request.path == "/");  // of an absolute target without one
  PENSTOCK_CHECK(request.headers.size() <= kLimits.header_count_max);
  for (const HeaderField& field : request.headers) {
    PENSTOCK_CHECK(inside(field.name) && inside(field.value));
  }
}

std::size_t read_head(std::string_view bytes, std::size_t piece_size, Fate& fate) {
  HeadScanner scanner(kLimits);
  std::size_t size = 0;
  for (std::size_t have = 0; size == 0 && have < bytes.size();) {
    have = std::min(bytes.size(), have + piece_size);
    if (const auto refusal = scanner.scan(bytes.substr(0, have), size)) {
      fate.refusal = refusal->code;
      return 0;
    }
  }
  return size;
}

void read_body(std::string_view rest, std::size_t piece_size, const HeadInfo& head,
               HttpRequest& request, Fate& fate) {
  DecoderPool decoders;
  BodyReader body(kLimits.body_bytes_max, decoders);
  auto refusal = body.begin(head, request);
  for (std::size_t at = 0; !refusal && !body.done() && at < rest.size(); at += piece_size) {
    ByteView piece = as_bytes(rest.substr(at, piece_size));
    refusal = body.take(piece);
    PENSTOCK_CHECK(refusal || piece.empty() || body.done());
    PENSTOCK_CHECK(request.body.size() <= kLimits.body_bytes_max);
  }
  PENSTOCK_CHECK(!body.dropped());
  fate.complete = body.done() && !refusal;
  if (refusal) {
    fate.refusal = refusal->code;
  } else {
    fate.body = request.body.text();
  }
}

Fate read(std::string_view bytes, std::size_t piece_size) {
  Fate fate;
  MemoryBudget memory(64 * kMiB);
  HttpRequest request;
  request.memory.emplace(memory);
  const std::size_t head_size = read_head(bytes, piece_size, fate);
  if (head_size == 0) {
    return fate;
  }
  request.head = bytes.substr(0, head_size);
  HeadInfo head;
  if (const auto refusal = parse_head(request, head)) {
    fate.refusal = refusal->code;
    return fate;
  }
  check_views(request);
  fate.head = request.head;
  read_body(bytes.substr(head_size), piece_size, head, request, fate);
  return fate;
}

}  // namespace
}  // namespace penstock::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::size_t piece_size = 1 + data[0] % 64;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const penstock::net::Fate whole = penstock::net::read(bytes, bytes.size() + 1);
  const penstock::net::Fate cut = penstock::net::read(bytes, piece_size);
  // Which of two faults is seen first may depend on the cut, and a fault behind the limit of the
  // head may not be seen at all; what is accepted may not.
  PENSTOCK_CHECK(whole.refusal.empty() == cut.refusal.empty());
  PENSTOCK_CHECK(!whole.refusal.empty() || whole == cut);
  return 0;
}
