// Base64, the standard alphabet with padding (RFC 4648 section 4): how bytes that are not text go
// into JSON.
#pragma once

#include <string>

#include "core/bytes.h"

namespace penstock {

void append_base64(std::string& out, ByteView bytes);

}  // namespace penstock
