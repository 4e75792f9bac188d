// Reads texts and numbers out of one small JSON document, by JSON Pointers.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::sinks {

// One for each pointer: the text of a string, or a number, true or false as it is written. Nothing
// for what is missing or of another type, and for all if `document` is not JSON.
[[nodiscard]] std::vector<std::optional<std::string>> json_fields(
    std::string_view document, std::initializer_list<std::string_view> pointers);

}  // namespace penstock::sinks
