// nearest() finds the known name that a mistyped one probably meant: "did you mean ...?".
//
// Source: edit distance with transpositions (optimal string alignment).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace penstock::config {

[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

// The closest of `known`, if it is close enough to be meant: at most a third of its letters differ.
[[nodiscard]] std::optional<std::string> nearest(std::string_view name,
                                                 std::span<const std::string> known);

// `; did you mean "x"?` with the nearest name in quotes, or "".
[[nodiscard]] std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace penstock::config
