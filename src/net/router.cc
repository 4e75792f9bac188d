#include "net/router.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/check.h"

namespace penstock::net {

namespace {

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

bool takes_rest(std::string_view segment) {
  return segment.ends_with("...}");
}

// Calls `each` for the segments of a path that begins with '/', until it returns false.
template <typename F>
void for_each_segment(std::string_view path, F&& each) {
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  for (;;) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (!each(path.substr(0, slash)) || slash == path.size()) {
      return;
    }
    path.remove_prefix(slash + 1);
  }
}

// How well `pattern` fits: the number of fixed segments, or absent if it does not fit.
std::optional<std::size_t> match(const std::vector<std::string>& pattern, std::string_view path) {
  if (!path.starts_with('/')) {
    return std::nullopt;  // the "*" of OPTIONS
  }
  std::size_t index = 0;
  std::size_t fixed_count = 0;
  bool fits = true;
  for_each_segment(path, [&](std::string_view segment) {
    if (index < pattern.size() && pattern[index] == segment && !is_parameter(pattern[index])) {
      ++fixed_count;
      ++index;
    } else if (index < pattern.size() && is_parameter(pattern[index]) && !segment.empty()) {
      index += takes_rest(pattern[index]) ? 0 : 1;
    } else {
      fits = false;
    }
    return fits;
  });
  const bool rest_taken =
      index + 1 == pattern.size() && takes_rest(pattern[index]) &&
      static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) >= pattern.size();
  return fits && (index == pattern.size() || rest_taken) ? std::optional(fixed_count)
                                                         : std::nullopt;
}

// Decodes the segments that `pattern` has parameters for.
Status take_parameters(const std::vector<std::string>& pattern, HttpRequest& request) {
  std::size_t index = 0;
  Status status;
  for_each_segment(request.path, [&](std::string_view segment) {
    if (is_parameter(pattern[index])) {
      auto decoded = percent_decode(segment, PlusSign::kLiteral);
      if (!decoded) {
        status = std::move(decoded).error();
        return false;
      }
      request.path_parameters.push_back(*std::move(decoded));
    }
    index += takes_rest(pattern[index]) ? 0 : 1;
    return true;
  });
  return status;
}

std::string allow_header(const std::vector<Method>& methods) {
  std::string line = "Allow: ";
  for (const Method method : methods) {
    line += std::string(to_string(method)) + (method == Method::kGet ? ", HEAD, " : ", ");
  }
  return line + "OPTIONS\r\n";
}

}  // namespace

void Router::add(Method method, std::string_view pattern, Route route) {
  PENSTOCK_CHECK(pattern.starts_with('/'));
  Entry entry{method, {}, std::move(route)};
  for_each_segment(pattern, [&](std::string_view segment) {
    PENSTOCK_CHECK(is_parameter(segment) == segment.ends_with('}'));
    PENSTOCK_CHECK(entry.segments.empty() || !takes_rest(entry.segments.back()));
    entry.segments.emplace_back(segment);
    return true;
  });
  for (const Entry& other : entries_) {
    PENSTOCK_CHECK(other.method != method || other.segments != entry.segments);
  }
  entries_.push_back(std::move(entry));
}

void Router::handle(RequestPtr request, Responder responder) {
  const Method wanted = request->method == Method::kHead ? Method::kGet : request->method;
  Entry* best = nullptr;
  std::size_t best_fit = 0;
  std::vector<Method> others;
  for (Entry& entry : entries_) {
    const auto fit = match(entry.segments, request->path);
    if (!fit.has_value()) {
      continue;
    }
    if (entry.method != wanted) {
      others.push_back(entry.method);
    } else if (best == nullptr || *fit > best_fit) {
      best = &entry;
      best_fit = *fit;
    }
  }
  if (best != nullptr) {
    const Status decoded = take_parameters(best->segments, *request);
    if (!decoded) {
      responder.send_error(decoded.error());
      return;
    }
    best->route(std::move(request), std::move(responder));
  } else if (others.empty()) {
    responder.send_error(404, "not_found", "there is nothing at " + std::string(request->path));
  } else if (wanted == Method::kOptions) {
    responder.send({.status = 204, .extra_headers = allow_header(others)});
  } else {
    const std::string body =
        error_body("method_not_allowed", std::string(request->path) + " does not take this method");
    responder.send({.status = 405, .body = body, .extra_headers = allow_header(others)});
  }
}

}  // namespace penstock::net
