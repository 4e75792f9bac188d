// Escapes inside JSON strings: checking and resolving them.
//
// `\uD83D\uDE00` is one character. A surrogate without its partner is refused although the grammar
// of RFC 8259 permits it: it has no UTF-8 form, so no two programs would agree on what it means.
#pragma once

#include <string>
#include <string_view>

namespace penstock {

// The first bad escape in `raw` (the bytes between the quotes), or null if there is none.
[[nodiscard]] const char* find_bad_escape(std::string_view raw);

// Replaces `text` by `raw` with its escapes resolved. What find_bad_escape() finds is copied as it
// stands.
void unescape_json(std::string_view raw, std::string& text);

}  // namespace penstock
