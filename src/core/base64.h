// Base64, the standard alphabet with padding (RFC 4648 section 4): how bytes that are not text go
// into JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace penstock {

void append_base64(std::string& out, ByteView bytes);

// Nothing if `text` is not whole, padded base64.
[[nodiscard]] std::optional<Bytes> decode_base64(std::string_view text);

}  // namespace penstock
