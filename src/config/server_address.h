// The address of a server that is connected to: "db.example.net:6379", "10.0.0.1:6379",
// "[2001:db8::1]:6379".
//
// Threads   plain values; any.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::config {

struct ServerAddress {
  std::string host;
  std::uint16_t port = 0;

  friend auto operator<=>(const ServerAddress&, const ServerAddress&) = default;
};

// Nothing if it is not of that form. Without brackets, the last colon separates.
[[nodiscard]] std::optional<ServerAddress> parse_server_address(std::string_view text);

[[nodiscard]] std::string to_string(const ServerAddress& address);

}  // namespace penstock::config
