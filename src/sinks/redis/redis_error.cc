#include "sinks/redis/redis_error.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace penstock::sinks {
namespace {

// Takes the text before the next space off `text`.
std::string_view take_word(std::string_view& text) {
  const std::size_t space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return word;
}

}  // namespace

ErrorCode code_of_redis_error(std::string_view message) {
  constexpr std::array<std::string_view, 8> kRefusals = {
      "value is not an integer or out of range",
      "hash value is not an integer",
      "value is not a valid float",
      "hash value is not a float",
      "increment or decrement would overflow",
      "would produce NaN or Infinity",
      "resulting score is not a number",
      "string exceeds maximum allowed size",
  };
  const bool refused =
      message.starts_with("WRONGTYPE") ||
      (message.starts_with("ERR ") &&
       std::any_of(kRefusals.begin(), kRefusals.end(), [&](std::string_view refusal) {
         return message.find(refusal) != std::string_view::npos;
       }));
  return refused ? ErrorCode::kInvalid : ErrorCode::kRetry;
}

std::optional<Redirection> parse_redirection(std::string_view message, const RedisAddress& from) {
  const std::string_view code = take_word(message);
  if (code != "MOVED" && code != "ASK") {
    return std::nullopt;
  }
  take_word(message);  // the slot
  const std::string_view place = take_word(message);
  auto address = config::parse_server_address(
      place.starts_with(':') ? from.host + std::string(place) : std::string(place));
  if (!address.has_value()) {
    return std::nullopt;
  }
  return Redirection{code == "ASK", *std::move(address)};
}

}  // namespace penstock::sinks
