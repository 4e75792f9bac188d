// Digests that protocols ask for: SHA-256 and HMAC-SHA256, by OpenSSL.
//
// Threads   any.
// Source    FIPS 180-4; RFC 2104
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "core/bytes.h"

namespace penstock::net {

using Sha256 = std::array<std::byte, 32>;

[[nodiscard]] Sha256 sha256(ByteView bytes);
[[nodiscard]] Sha256 hmac_sha256(ByteView key, ByteView bytes);

// Two lower-case digits a byte.
[[nodiscard]] std::string hex(ByteView bytes);

}  // namespace penstock::net
