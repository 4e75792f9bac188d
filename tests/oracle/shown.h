// How keys, values and timestamps are written in a run (Format on the Java side).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "oracle/golden_file.h"

namespace penstock::oracle {

// "null", "''" if it is empty, or the text itself.
[[nodiscard]] std::string shown(const std::optional<std::string>& text);

// Bytes as a format has them; "?" and the bytes if they are too short for it.
[[nodiscard]] std::string shown(const std::optional<std::string>& bytes, Format format);

[[nodiscard]] std::string shown_window(std::string_view key, std::int64_t start);
[[nodiscard]] std::string shown_session(std::string_view key, std::int64_t start, std::int64_t end);

}  // namespace penstock::oracle
