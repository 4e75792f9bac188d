// Reads the head of a request: finds its end, checks it, takes it apart. No socket.
//
// Two passes, because they guard against different things. HeadScanner looks at line ends only,
// as bytes arrive: it finds the end without reading anything twice, and enforces the limits before
// a head has to be kept whole. parse_head() then runs Beast's parser over the complete head, which
// checks every character, and refuses what two parsers might read differently (request smuggling):
// both or repeated lengths, folded lines, bare line ends, other transfer codings than chunked.
//
// Threads   a HeadScanner belongs to one connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "compress/decoder.h"
#include "net/http_message.h"
#include "net/refusal.h"

namespace penstock::net {

struct HttpLimits;

class HeadScanner {
 public:
  explicit HeadScanner(const HttpLimits& limits) : limits_(limits) {}

  // Begins with a new head.
  void reset();

  // `unread` begins with the head and holds all of it that has come so far. `size` is set to the
  // size of the whole head, or 0 while it is not complete.
  [[nodiscard]] std::optional<Refusal> scan(std::string_view unread, std::size_t& size);

 private:
  [[nodiscard]] std::optional<Refusal> check_line(std::string_view line);
  [[nodiscard]] std::optional<Refusal> check_sizes(std::size_t unread_size) const;

  const HttpLimits& limits_;
  std::size_t line_start_ = 0;  // the first byte not looked at
  std::size_t line_count_ = 0;  // whole lines before it
};

// What the connection needs to know beside the request itself.
struct HeadInfo {
  bool http11 = true;
  bool keep_alive = true;
  bool expects_continue = false;
  bool chunked = false;
  std::uint64_t content_length = 0;
  std::optional<compress::Encoding> encoding;  // absent: identity
};

// Takes request.head apart into the other members of `request` and into `info`.
[[nodiscard]] std::optional<Refusal> parse_head(HttpRequest& request, HeadInfo& info);

}  // namespace penstock::net
