// kafka_clock measures how long a stream processor takes: it writes events with the time of sending
// into a topic of Kafka at a fixed rate, reads the results that carry that time, and keeps the
// difference. Both by librdkafka directly, so that as little as possible of the machine is taken
// from what is measured.
//
// Usage: kafka_clock BOOTSTRAP_SERVERS INPUT_TOPIC OUTPUT_TOPIC EVENTS_PER_SECOND
//
// Reads commands from standard input, one in each line, and answers each with a line of JSON:
//   send N   writes N events, and waits until all are acknowledged (acks=all, idempotent)
//   forget   drops the results that were read so far
//   report   says how many results were read since, and the quantiles in milliseconds
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/guarded.h"
#include "kafka/handles.h"
#include "os/thread.h"

namespace penstock {
namespace {

using kafka::ClientHandle;
using kafka::ConfHandle;

constexpr std::int64_t kKeyCount = 100'000;
constexpr std::int64_t kPortionsPerSecond = 50;
constexpr std::string_view kSent = "\"/sent\":";

// What a benchmark cannot do without ends it.
[[noreturn]] void fail(std::string_view what) {
  std::cerr << "kafka_clock: " << what << '\n';
  std::exit(1);
}

std::int64_t unix_milliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

ClientHandle open_client(rd_kafka_type_t type,
                         const std::vector<std::pair<const char*, std::string>>& settings) {
  ConfHandle conf(rd_kafka_conf_new());
  std::array<char, 512> problem{};
  for (const auto& [key, value] : settings) {
    if (rd_kafka_conf_set(conf.get(), key, value.c_str(), problem.data(), problem.size()) !=
        RD_KAFKA_CONF_OK) {
      fail(problem.data());
    }
  }
  rd_kafka_conf_t* const given = conf.release();  // the client's from now on
  ClientHandle client(rd_kafka_new(type, given, problem.data(), problem.size()));
  if (client == nullptr) {
    fail(problem.data());
  }
  return client;
}

// The results, by their age when they were read.
class Reader {
 public:
  Reader(const std::string& servers, const std::string& topic)
      : consumer_(open_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", servers},
                                                  {"group.id", "kafka_clock"},
                                                  {"isolation.level", "read_committed"},
                                                  {"enable.auto.commit", "false"},
                                                  {"auto.offset.reset", "latest"},
                                                  {"fetch.wait.max.ms", "100"}})) {
    rd_kafka_poll_set_consumer(consumer_.get());
    assign(topic);
    thread_ = std::make_unique<os::Thread>("results", [this](const os::StopToken& stop) {
      while (!stop.requested()) {
        read_some();
      }
    });
  }

  // Sorted, in milliseconds.
  std::vector<std::int32_t> take() {
    std::vector<std::int32_t> ages;
    ages_.with([&](std::vector<std::int32_t>& kept) { ages.swap(kept); });
    std::ranges::sort(ages);
    return ages;
  }

 private:
  // All partitions from their ends. A topic that a processor has yet to make is waited for.
  void assign(const std::string& topic) {
    const kafka::TopicHandle handle(rd_kafka_topic_new(consumer_.get(), topic.c_str(), nullptr));
    int partition_count = 0;
    while (partition_count == 0) {
      const rd_kafka_metadata_t* metadata = nullptr;
      if (rd_kafka_metadata(consumer_.get(), 0, handle.get(), &metadata, 10'000) ==
          RD_KAFKA_RESP_ERR_NO_ERROR) {
        partition_count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    const kafka::PartitionListHandle all(rd_kafka_topic_partition_list_new(partition_count));
    for (int number = 0; number < partition_count; ++number) {
      rd_kafka_topic_partition_list_add(all.get(), topic.c_str(), number)->offset =
          RD_KAFKA_OFFSET_END;
    }
    if (rd_kafka_assign(consumer_.get(), all.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      fail("cannot read " + topic);
    }
    queue_.reset(rd_kafka_queue_get_consumer(consumer_.get()));
  }

  void read_some() {
    std::array<rd_kafka_message_t*, 4'096> messages{};
    const auto count =
        rd_kafka_consume_batch_queue(queue_.get(), 20, messages.data(), messages.size());
    const std::int64_t now = unix_milliseconds();
    ages_.with([&](std::vector<std::int32_t>& kept) {
      for (ssize_t i = 0; i < count; ++i) {
        const kafka::MessageHandle message(messages[static_cast<std::size_t>(i)]);
        const std::string_view value(static_cast<const char*>(message->payload), message->len);
        const std::size_t sent = value.rfind(kSent);
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && sent != std::string_view::npos) {
          const std::int64_t then = std::stoll(std::string(value.substr(sent + kSent.size())));
          kept.push_back(static_cast<std::int32_t>(now - then));
        }
      }
    });
  }

  ClientHandle consumer_;
  kafka::QueueHandle queue_;
  Guarded<std::vector<std::int32_t>> ages_;
  std::unique_ptr<os::Thread> thread_;
};

class Writer {
 public:
  Writer(const std::string& servers, const std::string& topic, std::int64_t rate)
      : producer_(open_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", servers},
                                                  {"acks", "all"},
                                                  {"enable.idempotence", "true"},
                                                  {"linger.ms", "5"},
                                                  {"compression.type", "lz4"},
                                                  {"partitioner", "murmur2_random"},
                                                  {"queue.buffering.max.messages", "0"}})),
        topic_(rd_kafka_topic_new(producer_.get(), topic.c_str(), nullptr)),
        portion_(std::max<std::int64_t>(1, rate / kPortionsPerSecond)) {}

  void send(std::int64_t count) {
    const auto begun = std::chrono::steady_clock::now();
    for (std::int64_t first = 0; first < count; first += portion_) {
      const std::int64_t portion_count = std::min(portion_, count - first);
      std::this_thread::sleep_until(
          begun + std::chrono::nanoseconds(first / portion_ * 1'000'000'000 / kPortionsPerSecond));
      send_portion(first, portion_count);
    }
    if (rd_kafka_flush(producer_.get(), 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      fail("events are not acknowledged");
    }
  }

 private:
  // About 100 bytes each, the keys in no order.
  void send_portion(std::int64_t first, std::int64_t count) {
    const auto sent = static_cast<long long>(unix_milliseconds());
    for (std::int64_t number = first; number < first + count; ++number) {
      std::array<char, 16> key{};
      std::array<char, 160> event{};
      const int key_size = std::snprintf(key.data(), key.size(), "u%06lld",
                                         static_cast<long long>(number * 7919 % kKeyCount));
      const int size = std::snprintf(
          event.data(), event.size(),
          R"({"user":"%s","sent":%lld,"page":"/catalogue/item/%05lld","agent":"bench/1.0"})",
          key.data(), sent, static_cast<long long>(number % 9973));
      if (rd_kafka_produce(topic_.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, event.data(),
                           static_cast<std::size_t>(size), key.data(),
                           static_cast<std::size_t>(key_size), nullptr) != 0) {
        fail(rd_kafka_err2str(rd_kafka_last_error()));
      }
    }
    rd_kafka_poll(producer_.get(), 0);
  }

  ClientHandle producer_;
  kafka::TopicHandle topic_;
  const std::int64_t portion_;
};

void report(const std::vector<std::int32_t>& ages) {
  const auto quantile = [&](std::size_t per_mille) {
    return ages.empty() ? 0 : ages[std::min(ages.size() - 1, ages.size() * per_mille / 1000)];
  };
  std::cout << R"({"results":)" << ages.size() << R"(,"p50_ms":)" << quantile(500)
            << R"(,"p99_ms":)" << quantile(990) << R"(,"p999_ms":)" << quantile(999) << '}'
            << std::endl;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 4) {
    fail("usage: kafka_clock BOOTSTRAP_SERVERS INPUT_TOPIC OUTPUT_TOPIC EVENTS_PER_SECOND");
  }
  Writer writer(arguments[0], arguments[1], std::stoll(arguments[3]));
  Reader reader(arguments[0], arguments[2]);
  std::string command;
  while (std::cin >> command) {
    if (command == "send") {
      std::int64_t count = 0;
      std::cin >> count;
      writer.send(count);
      std::cout << R"({"sent":)" << count << '}' << std::endl;
    } else if (command == "forget") {
      std::cout << R"({"forgotten":)" << reader.take().size() << '}' << std::endl;
    } else if (command == "report") {
      report(reader.take());
    } else {
      fail("unknown command " + command);
    }
  }
  return 0;
}

}  // namespace
}  // namespace penstock

int main(int argc, char** argv) {
  return penstock::run({argv + 1, argv + argc});
}
