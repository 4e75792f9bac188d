#include "net/http_message.h"

#include <algorithm>
#include <charconv>

#include "core/json_writer.h"
#include "core/utf8.h"
#include "net/request_pool.h"
#include "net/text.h"

namespace penstock::net {

std::string_view to_string(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kDelete:
      return "DELETE";
    case Method::kPatch:
      return "PATCH";
    case Method::kOptions:
      return "OPTIONS";
    case Method::kOther:
      return "OTHER";
  }
  PENSTOCK_CHECK(false);
  return "";
}

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const HeaderField& field) {
    return equal_ignoring_case(field.name, name);
  });
  return found == headers.end() ? std::nullopt : std::optional(found->value);
}

std::size_t HttpRequest::header_count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      headers.begin(), headers.end(),
      [&](const HeaderField& field) { return equal_ignoring_case(field.name, name); }));
}

std::optional<std::string> HttpRequest::query_parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto key = percent_decode(pair.substr(0, equals), PlusSign::kSpace);
    if (key && *key == name) {
      const std::string_view raw = pair.substr(std::min(equals + 1, pair.size()));
      auto value = percent_decode(raw, PlusSign::kSpace);
      return value ? std::move(*value) : std::string(raw);
    }
  }
  return std::nullopt;
}

void RequestRecycler::operator()(HttpRequest* request) const {
  std::unique_ptr<HttpRequest> owned(request);
  if (pool != nullptr) {
    pool->put_back(std::move(owned));
  }
}

RequestPtr RequestPool::take() {
  if (free_.empty()) {
    return {new HttpRequest(), RequestRecycler{this}};
  }
  std::unique_ptr<HttpRequest> request = std::move(free_.back());
  free_.pop_back();
  return {request.release(), RequestRecycler{this}};
}

void RequestPool::put_back(std::unique_ptr<HttpRequest> request) {
  request->memory.reset();
  if (free_.size() >= kRequestsMax) {
    return;
  }
  if (request->body.capacity() > kBodyCapacityMax) {
    request->body.release();
  }
  request->body.clear();
  request->headers.clear();
  request->path_parameters.clear();
  request->head.clear();
  free_.push_back(std::move(request));
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

std::string error_body(std::string_view code, std::string_view message) {
  std::string body = R"({"code":)";
  append_json_string(body, code);
  body += R"(,"message":)";
  if (is_utf8(message)) {
    append_json_string(body, message);
  } else {  // it repeats what the client sent
    std::string shown(message);
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; },
        '?');
    append_json_string(body, shown);
  }
  body += "}";
  return body;
}

Result<std::string> percent_decode(std::string_view text, PlusSign plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == PlusSign::kSpace) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      unsigned value = 0;
      const char* const digits = text.data() + i + 1;
      if (text.size() - i < 3 || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) {
        return Error(ErrorCode::kInvalid, "a '%' in the request target has no two hex digits");
      }
      decoded += static_cast<char>(value);
      i += 2;
    }
  }
  return decoded;
}

}  // namespace penstock::net
