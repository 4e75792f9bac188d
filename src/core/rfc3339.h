// Timestamps as text: RFC 3339, "2015-05-17T10:05:03.000Z". Inside, a time is the number of
// milliseconds since 1970-01-01T00:00:00Z.
//
// Source: RFC 3339 section 5.6; days by H. Hinnant's civil calendar algorithms (public domain).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock {

// Date, 'T' (or 't' or a space), time, an optional fraction (what is finer than a millisecond is
// cut off), and an optional zone: 'Z' or an offset; without one it is UTC. A leap second :60 is the
// first moment of the next minute. Years 0000 to 9999. Nothing if it is anything else.
[[nodiscard]] std::optional<std::int64_t> parse_rfc3339(std::string_view text);

// In UTC with milliseconds: "2015-05-17T10:05:03.000Z". Times outside of the years 0000 to 9999,
// which RFC 3339 cannot write, give the nearest one that it can.
void append_rfc3339(std::string& out, std::int64_t epoch_ms);
[[nodiscard]] std::string format_rfc3339(std::int64_t epoch_ms);

}  // namespace penstock
