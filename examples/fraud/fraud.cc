#include "fraud/fraud.h"

#include <charconv>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "dsl/dsl.h"

namespace fraud {

namespace {

using namespace std::chrono_literals;
using namespace penstock::dsl;
using penstock::Result;

constexpr std::size_t kPatternLength = 3;
constexpr const char* kRecentStore = "recent-payments";

// Finds the pattern: keeps of each card the payments that may still be part of one, as timestamp
// and cents in turn.
class FindPattern final : public Processor<std::string, Payment, std::string, Suspicion> {
 public:
  void init(Context& context) override {
    context_ = &context;
    recent_.emplace(context.key_value_store<std::string, std::vector<std::int64_t>>(kRecentStore));
  }

  void process(const Record<std::string, Payment>& record) override {
    if (record.key == nullptr || record.value == nullptr) {
      return context_->drop();
    }
    const auto stored = recent_->get(*record.key);
    std::vector<std::int64_t> rising =
        stored.has_value() ? still_rising(stored->value, record) : std::vector<std::int64_t>();
    rising.push_back(record.timestamp.value());
    rising.push_back(record.value->cents);
    if (rising.size() == 2 * kPatternLength) {
      const Suspicion suspicion{record.value->merchant, rising[1] + rising[3] + rising[5]};
      context_->forward(*record.key, suspicion, record.timestamp);
      rising.clear();
    }
    recent_->put(*record.key, rising, record.timestamp);
  }

 private:
  // Those of the last minute, if the new payment is larger than the last of them.
  static std::vector<std::int64_t> still_rising(const std::vector<std::int64_t>& payments,
                                                const Record<std::string, Payment>& next) {
    std::vector<std::int64_t> rising;
    for (std::size_t at = 0; at + 1 < payments.size(); at += 2) {
      if (payments[at] > next.timestamp.value() - std::chrono::milliseconds(1min).count()) {
        rising.insert(rising.end(), {payments[at], payments[at + 1]});
      }
    }
    return !rising.empty() && rising.back() >= next.value->cents ? std::vector<std::int64_t>()
                                                                 : rising;
  }

  Context* context_ = nullptr;
  std::optional<KeyValueStore<std::string, std::vector<std::int64_t>>> recent_;
};

}  // namespace

penstock::Result<penstock::topology::Topology> make_topology(AskRisk ask) {
  StreamBuilder builder({.application_id = "fraud-example",
                         .errors = {.deserialization = ErrorResponse::kDeadLetter,
                                    .processing = ErrorResponse::kDeadLetter,
                                    .dead_letter_topic = "fraud-dead-letters"}});
  builder.add_key_value_store(kRecentStore);
  const auto suspicions =
      builder.stream<std::string, Payment>("payments")
          .process([] { return std::make_unique<FindPattern>(); }, {kRecentStore});
  suspicions
      .map_values_async<Alert>(
          [ask = std::move(ask)](const std::string& card, const Suspicion& suspicion,
                                 AsyncReply<Alert> reply) {
            ask(card, [suspicion, reply](Result<std::int64_t> score) mutable {
              reply.set(score ? Result<Alert>(Alert{suspicion, *score}) : score.error());
            });
          },
          {.in_flight_max = 32,
           .timeout = 1'000ms,
           .attempts_max = 4,
           .backoff = 50ms,
           .breaker = penstock::CircuitBreaker::Options{.minimum_number_of_calls = 20,
                                                        .wait_duration_in_open_state = 1'000ms}},
          {.name = "risk"})
      .filter([](const Alert& alert) { return alert.score >= kAlertScoreMin; })
      .to("alerts");
  return std::move(builder).build();
}

}  // namespace fraud

namespace penstock::dsl {

namespace {

// The number that a text begins with, and the rest behind one space.
std::optional<std::pair<std::int64_t, std::string_view>> number_first(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto size = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || size == text.size() || text[size] != ' ') {
    return std::nullopt;
  }
  return std::pair(number, text.substr(size + 1));
}

void append_text(const std::string& text, Bytes& to) {
  const ByteView bytes = as_bytes(text);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

void Serde<fraud::Payment>::encode(const fraud::Payment& payment, Bytes& to) {
  append_text(std::to_string(payment.cents) + " " + payment.merchant, to);
}

std::optional<fraud::Payment> Serde<fraud::Payment>::decode(ByteView bytes) {
  const auto parts = number_first(as_text(bytes));
  return parts.has_value() ? std::optional(fraud::Payment{std::string(parts->second), parts->first})
                           : std::nullopt;
}

void Serde<fraud::Alert>::encode(const fraud::Alert& alert, Bytes& to) {
  append_text(std::to_string(alert.score) + " " + std::to_string(alert.suspicion.cents) + " " +
                  alert.suspicion.merchant,
              to);
}

std::optional<fraud::Alert> Serde<fraud::Alert>::decode(ByteView bytes) {
  const auto score = number_first(as_text(bytes));
  const auto cents = score.has_value() ? number_first(score->second) : std::nullopt;
  return cents.has_value()
             ? std::optional(fraud::Alert{{std::string(cents->second), cents->first}, score->first})
             : std::nullopt;
}

}  // namespace penstock::dsl
