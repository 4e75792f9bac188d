#include "net/response_format.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace penstock::net {

namespace {

void append_number(std::string& to, std::size_t number) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  static_cast<void>(error);  // 20 digits hold every size
  to.append(digits.data(), end);
}

bool has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace

void ResponseFormat::append(std::string& to, const HttpResponse& response,
                            const ResponseFraming& framing) {
  refresh_date();
  to += "HTTP/1.1 ";  // also to a client of 1.0: RFC 9110 section 6.2
  append_number(to, static_cast<std::size_t>(response.status));
  to += ' ';
  to += reason_phrase(response.status);
  to += "\r\n";
  to += date_line_;
  if (has_body(response.status)) {
    to += "Content-Type: ";
    to += response.content_type;
    to += "\r\nContent-Length: ";
    append_number(to, response.body.size());
    to += "\r\n";
  }
  to += response.extra_headers;
  if (framing.close) {
    to += "Connection: close\r\n";
  } else if (!framing.http11) {
    to += "Connection: keep-alive\r\n";
  }
  to += "\r\n";
  if (has_body(response.status) && !framing.head_only) {
    to += response.body;
  }
}

// RFC 9110 section 5.6.7: "Date: Sun, 06 Nov 1994 08:49:37 GMT".
void ResponseFormat::refresh_date() {
  const auto second = std::chrono::floor<std::chrono::seconds>(clock_.wall_now());
  if (second == date_second_ && !date_line_.empty()) {
    return;
  }
  date_second_ = second;
  constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                     "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  std::array<char, 64> text;
  const int size = std::snprintf(
      text.data(), text.size(), "Date: %s, %02u %s %04d %02d:%02d:%02d GMT\r\n",
      kDays[std::chrono::weekday(day).c_encoding()].data(), static_cast<unsigned>(date.day()),
      kMonths[static_cast<unsigned>(date.month()) - 1].data(), static_cast<int>(date.year()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  date_line_.assign(text.data(), static_cast<std::size_t>(size));
}

}  // namespace penstock::net
