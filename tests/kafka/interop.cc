// Writes and reads a topic through the Kafka log, line by line, so that tests can compare it with
// other clients (tests/integration/kafka_interop_test.py).
//
//   kafka_interop write BROKERS TOPIC PARTITION_COUNT   from stdin: key, value, timestamp, header
//   kafka_interop read BROKERS TOPIC                    to stdout: partition, then the same
//
// Fields are separated by tabs. The header is called "h".
#include <charconv>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/completion.h"
#include "kafka/kafka_log.h"
#include "kafka/must.h"
#include "os/clock.h"
#include "record/partitioner.h"
#include "record/record_batch.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"

namespace penstock {
namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = line.find('\t', begin);
    fields.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos) {
      return fields;
    }
    begin = end + 1;
  }
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  PENSTOCK_CHECK(std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc());
  return value;
}

void write(log::Log& log, const std::string& name, std::int32_t partition_count) {
  log::TopicConfig config;
  config.name = name;
  config.partition_count = partition_count;
  const log::TopicInfo topic = must(log.ensure_topic(config));
  std::map<PartitionId, RecordBatchBuilder> builders;
  for (std::string line; std::getline(std::cin, line);) {
    const std::vector<std::string> fields = split(line);
    PENSTOCK_CHECK(fields.size() == 4);
    const HeaderView header[] = {{"h", as_bytes(fields[3])}};
    builders[partition_for_key(as_bytes(fields[0]), partition_count)].append(
        Timestamp(number(fields[2])), as_bytes(fields[0]), as_bytes(fields[1]), header);
  }
  std::vector<log::PartitionBatch> batches;
  for (auto& [partition, builder] : builders) {
    batches.push_back({{topic.id, partition}, builder.finish()});
  }
  auto [answer, source] = make_completion<log::AppendResult>();
  must(log.append(std::move(batches),
                  [giver = std::move(source)](Result<log::AppendResult> result) mutable {
                    giver.set(std::move(result));
                  }));
  must(answer.wait());
}

void print(PartitionId partition, const RecordView& record) {
  const auto header = find_header(record, "h");
  std::cout << to_string(partition) << '\t' << as_text(*record.key) << '\t'
            << as_text(*record.value) << '\t' << to_string(record.timestamp) << '\t'
            << (header.has_value() ? as_text(*header) : std::string_view()) << '\n';
}

void read(log::Log& log, const std::string& name) {
  const log::TopicInfo topic = must(log.topic(name));
  for (std::int32_t i = 0; i < topic.config.partition_count; ++i) {
    const TopicPartition partition{topic.id, PartitionId(i)};
    const Offset end = must(log.written_end(partition));
    auto consumer = must(log.open_consumer({.name = "interop"}));
    must(consumer->assign({{partition, Offset(0)}}));
    for (Offset at(0); at < end;) {
      for (const log::FetchedBatch& fetched : must(consumer->poll(1 << 20)).batches) {
        const auto batch =
            must(RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kChecksum));
        RecordReader records(batch);
        for (RecordView record; records.next(record);) {
          print(partition.partition, record);
        }
        at = batch.last_offset() + 1;
      }
      consumer->wait(std::chrono::milliseconds(20));
    }
  }
}

}  // namespace
}  // namespace penstock

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() < 3) {
    std::cerr << "usage: kafka_interop write|read BROKERS TOPIC [PARTITION_COUNT]\n";
    return 2;
  }
  const penstock::os::RealClock clock;
  penstock::telemetry::Registry registry;
  penstock::telemetry::Logger logger(clock, {});
  penstock::kafka::Options options;
  options.bootstrap_servers = words[1];
  const auto log = penstock::must(penstock::kafka::open(options, clock, registry, logger));
  if (words[0] == "write") {
    penstock::write(*log, words[2], static_cast<std::int32_t>(penstock::number(words.at(3))));
  } else {
    penstock::read(*log, words[2]);
  }
  return 0;
}
