#include "penstock/bench/workload.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string_view>

#include "core/bytes.h"
#include "core/check.h"

namespace penstock::bench {

namespace {

constexpr std::string_view kBeforeUser = R"({"user":"u)";
constexpr std::size_t kUserDigits = 8;
constexpr std::string_view kBeforeTime = R"(","ts":)";
constexpr std::size_t kTimeDigits = 13;  // milliseconds from 2001 to 2286
constexpr std::string_view kFields = R"(,"type":"click","amount":12.34)";
constexpr std::string_view kBeforePadding = R"(,"note":")";
constexpr std::string_view kPadding = "the quick brown fox jumps over the lazy dog, ";

constexpr std::size_t kUserAt = kBeforeUser.size();
constexpr std::size_t kTimeAt = kUserAt + kUserDigits + kBeforeTime.size();
constexpr std::size_t kEventBytesMin = kTimeAt + kTimeDigits + 1;
constexpr std::size_t kEventBytesMax = 1'000'000;
constexpr std::size_t kRequestBytesMax = 16'777'216;

std::string make_event(std::size_t size) {
  std::string event;
  event.append(kBeforeUser).append(kUserDigits, '0').append(kBeforeTime);
  event.append("1").append(kTimeDigits - 1, '0');
  if (event.size() + kFields.size() + 1 <= size) {
    event.append(kFields);
  }
  const std::size_t left = size - event.size() - 1;
  if (left >= kBeforePadding.size() + 1) {
    event.append(kBeforePadding);
    while (event.size() + 2 < size) {
      event += kPadding[event.size() % kPadding.size()];
    }
    event.append("\"}");
  } else {
    event.append(left, ' ').append("}");
  }
  PENSTOCK_CHECK(event.size() == size);
  return event;
}

// The eight decimal digits of `value`, which is below 10^8, as text. All digits at once: halves of
// four digits, quarters of two, then single ones, each in its own lane of one 64-bit word.
void put_eight_digits(char* at, std::uint64_t value) {
  std::uint64_t lanes = (value / 10'000) | (value % 10'000) << 32;
  const std::uint64_t hundreds = ((lanes * 5'243) >> 19) & 0x0000'007f'0000'007f;
  lanes = hundreds | (lanes - hundreds * 100) << 16;
  const std::uint64_t tens = ((lanes * 103) >> 10) & 0x000f'000f'000f'000f;
  lanes = tens | (lanes - tens * 10) << 8;
  store_le(reinterpret_cast<std::byte*>(at), lanes + 0x3030'3030'3030'3030);
}

std::array<char, kTimeDigits> time_digits(std::int64_t epoch_ms) {
  std::array<char, kTimeDigits> digits;
  for (std::size_t i = kTimeDigits; i > 0; --i) {
    digits[i - 1] = static_cast<char>('0' + epoch_ms % 10);
    epoch_ms /= 10;
  }
  return digits;
}

Status check(const WorkloadOptions& options) {
  const auto refuse = [](const std::string& message) {
    return Error(ErrorCode::kInvalid, message);
  };
  if (options.event_bytes < kEventBytesMin || options.event_bytes > kEventBytesMax) {
    return refuse("--event-bytes must be from " + std::to_string(kEventBytesMin) + " to " +
                  std::to_string(kEventBytesMax));
  }
  if (options.request_bytes < 1 || options.request_bytes > kRequestBytesMax) {
    return refuse("--request-bytes must be from 1 to " + std::to_string(kRequestBytesMax));
  }
  if (options.keys < 1 || options.keys > kKeysMax) {
    return refuse("--keys must be from 1 to " + std::to_string(kKeysMax));
  }
  if (options.zipf != 0 && !(options.zipf > 0 && options.zipf < 1)) {
    return refuse("--zipf must be above 0 and below 1");
  }
  return {};
}

}  // namespace

ZipfDistribution::ZipfDistribution(std::uint64_t count, double exponent)
    : count_(static_cast<double>(count)),
      exponent_(exponent),
      zeta_(0),
      alpha_(1 / (1 - exponent)),
      eta_(0) {
  for (std::uint64_t i = 1; i <= count; ++i) {
    zeta_ += std::pow(static_cast<double>(i), -exponent);
  }
  const double zeta_of_two = 1 + std::pow(2.0, -exponent);
  eta_ = (1 - std::pow(2 / count_, 1 - exponent)) / (1 - zeta_of_two / zeta_);
}

std::uint64_t ZipfDistribution::rank(double unit) const {
  const double scaled = unit * zeta_;
  if (scaled < 1) {
    return 0;
  }
  if (scaled < 1 + std::pow(0.5, exponent_)) {
    return std::min<std::uint64_t>(1, static_cast<std::uint64_t>(count_) - 1);
  }
  const double rank = count_ * std::pow(eta_ * unit - eta_ + 1, alpha_);
  return static_cast<std::uint64_t>(std::min(rank, count_ - 1));
}

Result<Workload> Workload::create(const WorkloadOptions& options) {
  PENSTOCK_TRY(check(options));
  return Workload(options);
}

Workload::Workload(const WorkloadOptions& options)
    : options_(options),
      zipf_(options.zipf > 0 ? options.keys : 1, options.zipf),
      random_(options.seed),
      events_(std::max<std::size_t>(1, (options.request_bytes + 1) / (options.event_bytes + 1))) {
  const std::string event = make_event(options.event_bytes);
  const std::size_t body_bytes = events_ * (event.size() + 1) - 1;
  text_ =
      "POST /v1/topics/" + options.topic + "/events HTTP/1.1\r\nHost: " + options.host +
      "\r\nContent-Type: application/x-ndjson\r\nContent-Length: " + std::to_string(body_bytes) +
      "\r\n\r\n";
  body_at_ = text_.size();
  for (std::size_t i = 0; i < events_; ++i) {
    text_.append(i == 0 ? "" : "\n").append(event);
  }
}

void Workload::refresh(std::span<char> request, std::int64_t epoch_ms) {
  PENSTOCK_CHECK(request.size() == text_.size());
  const std::array<char, kTimeDigits> time = time_digits(epoch_ms);
  char* event = request.data() + body_at_;
  for (std::size_t i = 0; i < events_; ++i) {
    put_eight_digits(event + kUserAt, next_key());
    std::copy_n(time.data(), kTimeDigits, event + kTimeAt);
    event += options_.event_bytes + 1;
  }
}

std::uint64_t Workload::next_key() {
  const std::uint64_t bits = random_.next() >> 32;
  if (options_.zipf > 0) {
    return zipf_.rank(static_cast<double>(bits) * 0x1p-32);
  }
  return (bits * options_.keys) >> 32;  // keys < 2^27, so that the product fits
}

}  // namespace penstock::bench
