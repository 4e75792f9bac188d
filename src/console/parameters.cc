#include "console/parameters.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/rfc3339.h"
#include "net/http_message.h"

namespace penstock::console {

namespace {

Error refuse(std::string_view name, std::string_view what) {
  return {ErrorCode::kInvalid, "parameter `" + std::string(name) + "` " + std::string(what)};
}

std::string listed(std::initializer_list<std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) {
    text += (text.empty() ? "`" : ", `") + std::string(name) + "`";
  }
  return text.empty() ? "none" : text;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

Result<Parameters> Parameters::parse(std::string_view query,
                                     std::initializer_list<std::string_view> known) {
  Parameters parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view encoded = pair.substr(std::min(equals + 1, pair.size()));
    PENSTOCK_TRY_ASSIGN(std::string name,
                        net::percent_decode(pair.substr(0, equals), net::PlusSign::kLiteral));
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return refuse(name, "is not known here; known are: " + listed(known));
    }
    Result<std::string> value = net::percent_decode(encoded, net::PlusSign::kLiteral);
    if (!value) {
      return refuse(name, "is not well percent-encoded");
    }
    if (parameters.text(name)) {
      return refuse(name, "is given more than once");
    }
    parameters.values_.emplace_back(std::move(name), *std::move(value));
  }
  return parameters;
}

std::optional<std::string_view> Parameters::text(std::string_view name) const {
  for (const auto& [known, value] : values_) {
    if (known == name && !value.empty()) {
      return value;
    }
  }
  return std::nullopt;
}

Result<std::optional<std::int64_t>> Parameters::integer(std::string_view name, std::int64_t min,
                                                        std::int64_t max) const {
  const std::optional<std::string_view> given = text(name);
  if (!given) {
    return std::optional<std::int64_t>();
  }
  const std::optional<std::int64_t> number = parse_integer(*given);
  if (!number || *number < min || *number > max) {
    return refuse(
        name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return number;
}

Result<std::optional<Timestamp>> Parameters::time(std::string_view name) const {
  const std::optional<std::string_view> given = text(name);
  if (!given) {
    return std::optional<Timestamp>();
  }
  std::optional<std::int64_t> ms = parse_integer(*given);
  if (!ms) {
    ms = parse_rfc3339(*given);
  }
  if (!ms) {
    return refuse(name, "must be a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970");
  }
  return std::optional<Timestamp>(Timestamp(*ms));
}

}  // namespace penstock::console
