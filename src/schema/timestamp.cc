#include "schema/timestamp.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

#include "core/bytes.h"
#include "core/rfc3339.h"

namespace penstock {

namespace {

constexpr std::int64_t kLastMs = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z
constexpr std::size_t kSecondsSize = 19;               // "2015-05-17T10:05:03"

std::optional<Timestamp> checked(std::optional<std::int64_t> epoch_ms) {
  if (!epoch_ms || *epoch_ms < 0 || *epoch_ms > kLastMs) {
    return std::nullopt;
  }
  return Timestamp(*epoch_ms);
}

// Eight characters at once, where `shape` says what each must be: a digit where it has a '0',
// itself otherwise.
class EightCharacters {
 public:
  EightCharacters(const char* text, std::string_view shape)
      : values_(load(text) ^ load(shape.data())) {
    // Pushes a byte above 9 (above 0 where no digit is wanted) over 0x7f. Nothing carries, unless a
    // byte is above 0x7f to begin with.
    std::uint64_t limits = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      limits |= std::uint64_t{shape[i] == '0' ? 0x76U : 0x7FU} << (8 * i);
    }
    ok_ = (((values_ + limits) | values_) & 0x8080808080808080) == 0;
  }

  [[nodiscard]] bool ok() const { return ok_; }

  // The number that all eight digits are. Neighbours are put together: digits to pairs, pairs to
  // fours, fours to the whole.
  [[nodiscard]] std::uint32_t number() const {
    const std::uint64_t pairs = (values_ * 10 + (values_ >> 8)) & 0x00FF'00FF'00FF'00FF;
    const std::uint64_t fours = (pairs * 100 + (pairs >> 16)) & 0x0000'FFFF'0000'FFFF;
    return static_cast<std::uint32_t>((fours * 10'000 + (fours >> 32)) & 0xFFFF'FFFF);
  }

  // The number that the two digits from `at` on are.
  [[nodiscard]] unsigned pair(std::size_t at) const {
    const auto digits = static_cast<unsigned>(values_ >> (8 * at));
    return (digits & 0xFF) * 10 + (digits >> 8 & 0xFF);
  }

 private:
  static std::uint64_t load(const char* at) {
    return load_le<std::uint64_t>(reinterpret_cast<const std::byte*>(at));
  }

  std::uint64_t values_;
  bool ok_;
};

unsigned days_of_month(unsigned year, unsigned month) {
  constexpr std::array<unsigned, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month] + (month == 2 && leap ? 1U : 0U);
}

// Days since 1970-01-01 of a date of that day or later. Source: H. Hinnant, days_from_civil.
std::int64_t days_since_epoch(unsigned year, unsigned month, unsigned day) {
  const unsigned march_year = month <= 2 ? year - 1 : year;
  const unsigned march_month = month <= 2 ? month + 9 : month - 3;
  const unsigned day_of_year = (153 * march_month + 2) / 5 + day - 1;
  return std::int64_t{march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
                      day_of_year} -
         719'468;
}

// What may follow the seconds: nothing, "Z", ".123", ".123Z". Nothing for other forms.
std::optional<unsigned> read_milliseconds(std::string_view rest) {
  if (!rest.empty() && rest.back() == 'Z') {
    rest.remove_suffix(1);
  }
  if (rest.empty()) {
    return 0;
  }
  unsigned ms = 0;
  for (const char c : rest.substr(1)) {
    ms = ms * 10 + static_cast<unsigned>(c - '0');
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
  }
  return rest.size() == 4 && rest.front() == '.' ? std::optional(ms) : std::nullopt;
}

// Milliseconds as nearly all events have them: 13 digits, from 2001 to 2286. kNoTimestamp for
// others.
Timestamp parse_usual_number(std::string_view text) {
  if (text.size() != 13) {
    return kNoTimestamp;
  }
  const EightCharacters first(text.data(), "00000000");
  const EightCharacters last(text.data() + 5, "00000000");
  if (!first.ok() || !last.ok()) {
    return kNoTimestamp;
  }
  return Timestamp(std::int64_t{first.number()} * 100'000 + last.number() % 100'000);
}

// The usual forms, in UTC, from 1970 on. Nothing if core/rfc3339.h must look at it.
std::optional<std::int64_t> parse_usual(std::string_view text) {
  if (text.size() < kSecondsSize || text.size() > kSecondsSize + 5 ||
      (text[10] != 'T' && text[10] != ' ')) {
    return std::nullopt;
  }
  const EightCharacters date(text.data(), "0000-00-");
  const EightCharacters time(text.data() + 11, "00:00:00");
  const auto day_tens = static_cast<unsigned char>(text[8] - '0');
  const auto day_ones = static_cast<unsigned char>(text[9] - '0');
  const std::optional<unsigned> ms = read_milliseconds(text.substr(kSecondsSize));
  if (!date.ok() || !time.ok() || day_tens > 9 || day_ones > 9 || !ms) {
    return std::nullopt;
  }
  const unsigned year = date.pair(0) * 100 + date.pair(2);
  const unsigned month = date.pair(5);
  const unsigned day = day_tens * 10U + day_ones;
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) ||
      time.pair(0) > 23 || time.pair(3) > 59 || time.pair(6) > 59) {
    return std::nullopt;
  }
  const unsigned second_of_day = time.pair(0) * 3600 + time.pair(3) * 60 + time.pair(6);
  return (days_since_epoch(year, month, day) * 86'400 + second_of_day) * 1000 + *ms;
}

Timestamp parse_number(const JsonValue& value) {
  std::int64_t whole = 0;
  const char* const end = value.raw.data() + value.raw.size();
  const auto [at, error] = std::from_chars(value.raw.data(), end, whole);
  if (error == std::errc() && at == end) {
    return checked(whole).value_or(kNoTimestamp);
  }
  const std::optional<double> ms = value.as_double();
  if (!ms || *ms < 0 || *ms > static_cast<double>(kLastMs)) {
    return kNoTimestamp;
  }
  return Timestamp(static_cast<std::int64_t>(*ms));
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  if (const std::optional<std::int64_t> usual = parse_usual(text); usual) [[likely]] {
    return Timestamp(*usual);
  }
  return checked(parse_rfc3339(text));
}

Timestamp event_time(const JsonValue& value) {
  if (value.type == JsonType::kString) {
    std::string scratch;
    return parse_timestamp(string_text(value, scratch)).value_or(kNoTimestamp);
  }
  if (value.type != JsonType::kNumber) {
    return kNoTimestamp;
  }
  if (const Timestamp usual = parse_usual_number(value.raw); usual != kNoTimestamp) [[likely]] {
    return usual;
  }
  return parse_number(value);
}

}  // namespace penstock
