#include "penstock/bench/answer_parser.h"

#include <algorithm>
#include <charconv>

namespace penstock::bench {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::size_t kHeadBytesMax = 16'384;
constexpr std::size_t kStatusAt = 9;  // behind "HTTP/1.1 "

Error not_an_answer(std::string_view received) {
  return {ErrorCode::kInvalid,
          "the server sent what is no answer: " + std::string(received.substr(0, 80))};
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The value of a header of `head`; `name` in lower case.
std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at)) {
    at += 2;
    const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        std::equal(name.begin(), name.end(), line.begin(),
                   [](char wanted, char c) { return wanted == lower(c); })) {
      const std::string_view value = line.substr(name.size() + 1);
      return value.substr(std::min(value.find_first_not_of(' '), value.size()));
    }
  }
  return std::nullopt;
}

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) {
    return std::nullopt;
  }
  return value;
}

std::optional<Answer> parse_head(std::string_view head) {
  const auto status = parse_number<int>(head.substr(std::min(kStatusAt, head.size())));
  if (!head.starts_with("HTTP/1.1 ") || !status) {
    return std::nullopt;
  }
  const auto retry_after = parse_number<std::uint32_t>(header(head, "retry-after").value_or(""));
  return Answer{.status = *status,
                .retry_after_s = retry_after.value_or(0),
                .close = header(head, "connection").value_or("") == "close"};
}

// False: a number is missing.
bool parse_counts(std::string_view body, Answer& answer) {
  const auto accepted = number_after(body, "\"accepted\":");
  const auto duplicates = number_after(body, "\"duplicates\":");
  const auto dead_lettered = number_after(body, "\"dead_lettered\":");
  answer.accepted = accepted.value_or(0);
  answer.duplicates = duplicates.value_or(0);
  answer.dead_lettered = dead_lettered.value_or(0);
  return accepted && duplicates && dead_lettered;
}

}  // namespace

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  return parse_number<std::uint64_t>(text.substr(at + name.size()));
}

void AnswerParser::feed(std::string_view bytes) {
  received_.erase(0, taken_);
  taken_ = 0;
  received_.append(bytes);
}

Result<std::optional<Answer>> AnswerParser::next() {
  const std::string_view received = std::string_view(received_).substr(taken_);
  const std::size_t head_size = received.find(kHeadEnd);
  if (head_size == std::string_view::npos) {
    if (received.size() > kHeadBytesMax) {
      return not_an_answer(received);
    }
    return std::optional<Answer>();
  }
  const std::string_view head = received.substr(0, head_size);
  const auto length = parse_number<std::size_t>(header(head, "content-length").value_or(""));
  std::optional<Answer> answer = parse_head(head);
  if (!answer || !length) {
    return not_an_answer(received);
  }
  const std::string_view rest = received.substr(head_size + kHeadEnd.size());
  if (rest.size() < *length) {
    return std::optional<Answer>();
  }
  if (answer->status == 200 && !parse_counts(rest.substr(0, *length), *answer)) {
    return not_an_answer(received);
  }
  taken_ += head_size + kHeadEnd.size() + *length;
  return answer;
}

void AnswerParser::reset() {
  received_.clear();
  taken_ = 0;
}

}  // namespace penstock::bench
