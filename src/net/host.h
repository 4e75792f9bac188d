// Whether a text may stand in a Host header: a name or address, and perhaps a port.
//
// RFC 9110 section 7.2 wants a request with any other text refused, because a proxy in front may
// read something else in it than we do.
#pragma once

#include <string_view>

namespace penstock::net {

// uri-host [ ":" port ] of RFC 3986: "example.org:80", "[::1]"; also empty.
[[nodiscard]] bool is_host(std::string_view text);

}  // namespace penstock::net
