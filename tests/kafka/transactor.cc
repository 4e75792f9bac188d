// Commits transactions through the Kafka log, one for each line of its input, and says how each
// ended and how long that took, so that tests can break the network at the right moment
// (tests/integration/kafka_commit_test.py).
//
//   kafka_transactor BROKERS TOPIC PARTITION_COUNT TRANSACTION_TIMEOUT_MS
//
// A transaction is the line as a record in each partition, and offsets of the group "transactor".
// To stdout: the ending, "committed" or our error's code, and milliseconds. After "fenced" the next
// line begins with a producer that was opened anew.
#include <charconv>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/completion.h"
#include "kafka/kafka_log.h"
#include "kafka/must.h"
#include "os/clock.h"
#include "record/record_batch.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"

namespace penstock {
namespace {

std::int32_t number(const std::string& text) {
  std::int32_t value = 0;
  PENSTOCK_CHECK(std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc());
  return value;
}

Status commit(log::TransactionalProducer& producer, const log::TopicInfo& topic,
              const std::string& line, std::int64_t count) {
  PENSTOCK_TRY(producer.begin());
  for (std::int32_t i = 0; i < topic.config.partition_count; ++i) {
    RecordBatchBuilder builder;
    builder.append(Timestamp(count), std::nullopt, as_bytes(line));
    PENSTOCK_TRY(producer.append({topic.id, PartitionId(i)}, builder.finish()));
  }
  PENSTOCK_TRY(producer.commit_offsets({.group_id = "transactor"},
                                       {{{topic.id, PartitionId(0)}, Offset(count), ""}}));
  auto [answer, source] = make_completion<void>();
  producer.commit(
      [giver = std::move(source)](Status status) mutable { giver.set(std::move(status)); });
  return answer.wait();
}

void run(log::Log& log, const log::TopicInfo& topic, const os::Clock& clock) {
  std::unique_ptr<log::TransactionalProducer> producer;
  std::int64_t count = 0;
  for (std::string line; std::getline(std::cin, line);) {
    if (producer == nullptr) {
      producer = must(log.open_transactional_producer("transactor"));
    }
    const os::TimePoint begun = clock.now();
    const Status done = commit(*producer, topic, line, ++count);
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - begun).count();
    std::cout << (done ? "committed" : to_string(done.error().code())) << ' ' << took << std::endl;
    if (!done) {
      std::cerr << done.error().message() << std::endl;
      producer.reset();
    }
  }
}

}  // namespace
}  // namespace penstock

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() != 4) {
    std::cerr << "usage: kafka_transactor BROKERS TOPIC PARTITION_COUNT TRANSACTION_TIMEOUT_MS\n";
    return 2;
  }
  const penstock::os::RealClock clock;
  penstock::telemetry::Registry registry;
  penstock::telemetry::Logger logger(clock, {});
  penstock::kafka::Options options;
  options.bootstrap_servers = words[0];
  options.transaction_timeout = std::chrono::milliseconds(penstock::number(words[3]));
  const auto log = penstock::must(penstock::kafka::open(options, clock, registry, logger));
  penstock::log::TopicConfig config;
  config.name = words[1];
  config.partition_count = penstock::number(words[2]);
  penstock::run(*log, penstock::must(log->ensure_topic(config)), clock);
  return 0;
}
