// is_utf8 answers whether bytes are well-formed UTF-8 text; the table is that of the Unicode
// standard.
//
// For answers and headers. Events on their way in are checked by schema/, at many times the speed.
#pragma once

#include <string_view>

namespace penstock {

// No surrogates, no overlong forms, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view bytes);

}  // namespace penstock
