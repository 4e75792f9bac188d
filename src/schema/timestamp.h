// Event time from a JSON value: RFC 3339 / ISO 8601 text, or epoch milliseconds.
//
// The form that nearly everyone sends, "2015-05-17T10:05:03.000Z", takes a path of about 10 ns;
// everything else is read by core/rfc3339.h.
#pragma once

#include <optional>
#include <string_view>

#include "record/types.h"
#include "schema/json_value.h"

namespace penstock {

// Text as core/rfc3339.h reads it (no zone: UTC), of 1970 or later.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

// A string: parse_timestamp(). A number: milliseconds since the epoch, a fraction is cut off.
// kNoTimestamp for other types, unreadable text, and times before 1970 or after 9999, which a
// record cannot carry. (An optional would go through memory in parts, once per event.)
[[nodiscard]] Timestamp event_time(const JsonValue& value);

}  // namespace penstock
