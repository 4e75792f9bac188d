#include "core/rfc3339.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace penstock {

namespace {

constexpr std::int64_t kMsPerMinute = 60'000;
constexpr std::int64_t kMsPerDay = 86'400'000;
constexpr std::int64_t kFirstMs = -62'167'219'200'000;  // 0000-01-01T00:00:00.000Z
constexpr std::int64_t kLastMs = 253'402'300'799'999;   // 9999-12-31T23:59:59.999Z

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads text from the front; every function answers whether what it wants was there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }

  bool literal(char c) {
    if (text_.empty() || text_.front() != c) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }

  // Exactly `count` digits, with a value of at most `max`.
  bool number(std::size_t count, unsigned max, unsigned& value) {
    if (text_.size() < count) {
      return false;
    }
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(text_[i])) {
        return false;
      }
      value = value * 10 + static_cast<unsigned>(text_[i] - '0');
    }
    text_.remove_prefix(count);
    return value <= max;
  }

  // One digit or more after the point; `ms` is the first three of them.
  bool fraction(unsigned& ms) {
    std::size_t count = 0;
    ms = 0;
    for (; count < text_.size() && is_digit(text_[count]); ++count) {
      if (count < 3) {
        ms = ms * 10 + static_cast<unsigned>(text_[count] - '0');
      }
    }
    text_.remove_prefix(count);
    for (std::size_t digits = count; digits < 3; ++digits) {
      ms *= 10;
    }
    return count > 0;
  }

 private:
  std::string_view text_;
};

bool scan_date(Scanner& scan, std::int64_t& days) {
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (!scan.number(4, 9999, year) || !scan.literal('-') || !scan.number(2, 12, month) ||
      !scan.literal('-') || !scan.number(2, 31, day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day)};
  days = date.ok() ? std::chrono::sys_days(date).time_since_epoch().count() : 0;
  return date.ok();
}

bool scan_time(Scanner& scan, std::int64_t& ms_of_day) {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  unsigned ms = 0;
  if (!scan.number(2, 23, hour) || !scan.literal(':') || !scan.number(2, 59, minute) ||
      !scan.literal(':') || !scan.number(2, 60, second)) {
    return false;
  }
  if (scan.literal('.') && !scan.fraction(ms)) {
    return false;
  }
  if (second == 60) {
    ms = 0;  // a leap second lasts no time
  }
  ms_of_day = ((std::int64_t{hour} * 60 + minute) * 60 + second) * 1000 + ms;
  return true;
}

bool scan_zone(Scanner& scan, std::int64_t& offset_ms) {
  offset_ms = 0;
  if (scan.at_end() || scan.literal('Z') || scan.literal('z')) {
    return true;
  }
  const bool east = scan.literal('+');
  unsigned hours = 0;
  unsigned minutes = 0;
  if ((!east && !scan.literal('-')) || !scan.number(2, 23, hours) || !scan.literal(':') ||
      !scan.number(2, 59, minutes)) {
    return false;
  }
  offset_ms = (std::int64_t{hours} * 60 + minutes) * kMsPerMinute * (east ? 1 : -1);
  return true;
}

// Writes `count` digits of `value` at `at`.
void put_digits(char* at, std::size_t count, std::uint64_t value) {
  for (std::size_t i = count; i > 0; --i) {
    at[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  Scanner scan(text);
  std::int64_t days = 0;
  std::int64_t ms_of_day = 0;
  std::int64_t offset_ms = 0;
  if (!scan_date(scan, days) || !(scan.literal('T') || scan.literal('t') || scan.literal(' ')) ||
      !scan_time(scan, ms_of_day) || !scan_zone(scan, offset_ms) || !scan.at_end()) {
    return std::nullopt;
  }
  return days * kMsPerDay + ms_of_day - offset_ms;
}

void append_rfc3339(std::string& out, std::int64_t epoch_ms) {
  using std::chrono::days;
  using std::chrono::milliseconds;
  const std::chrono::sys_time<milliseconds> time{
      milliseconds(std::clamp(epoch_ms, kFirstMs, kLastMs))};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const auto ms = static_cast<std::uint64_t>((time - day).count());

  std::array<char, 24> text{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                            '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
  put_digits(&text[0], 4, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  put_digits(&text[5], 2, static_cast<unsigned>(date.month()));
  put_digits(&text[8], 2, static_cast<unsigned>(date.day()));
  put_digits(&text[11], 2, ms / 3'600'000);
  put_digits(&text[14], 2, ms / 60'000 % 60);
  put_digits(&text[17], 2, ms / 1000 % 60);
  put_digits(&text[20], 3, ms % 1000);
  out.append(text.data(), text.size());
}

std::string format_rfc3339(std::int64_t epoch_ms) {
  std::string text;
  append_rfc3339(text, epoch_ms);
  return text;
}

}  // namespace penstock
