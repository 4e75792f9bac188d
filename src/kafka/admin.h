// Admin asks the brokers about topics, offsets and groups, and has topics made, changed and
// deleted.
//
// Each function is one question and waits for its answer, at most Options::request_timeout and a
// little. Names are Kafka's, with the log's prefix.
//
// Threads   any
// Lifetime  the client outlives it
// Errors    as kafka/error_map.h; kRetry when no answer came in time
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "kafka/client.h"
#include "kafka/options.h"
#include "log/types.h"

namespace penstock::kafka {

struct TopicState {
  std::string name;
  std::int32_t partition_count = 0;
  std::int32_t replication_factor = 0;  // the least of its partitions
  bool has_leaders = false;             // each partition
  std::map<std::string, std::string> settings;
};

struct PlacedOffset {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string metadata;
};

// See log::PartitionBounds.
struct PlacedBounds {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t written_end = 0;
};

class Admin {
 public:
  // A question that was sent.
  struct Question {
    std::string what;
    QueueHandle answers;
  };

  Admin(Client& client, const Options& options) : client_(client), options_(options) {}

  // kNotFound if there is no such topic.
  [[nodiscard]] Result<TopicState> describe(const std::string& topic) const;
  // Those that begin with the log's prefix and are not internal to Kafka, sorted by name.
  [[nodiscard]] Result<std::vector<TopicState>> describe_all() const;

  [[nodiscard]] Status create(const std::string& topic, std::int32_t partition_count,
                              const std::map<std::string, std::string>& settings) const;
  [[nodiscard]] Status change(const std::string& topic,
                              const std::map<std::string, std::string>& settings) const;
  [[nodiscard]] Status remove(const std::string& topic) const;
  // Deletes what lies before the offsets. kInvalid: one is behind the end of its partition.
  [[nodiscard]] Status delete_records(const std::vector<PlacedOffset>& before) const;

  // Of each named partition: RD_KAFKA_OFFSET_SPEC_EARLIEST, _LATEST (what is committed lies before
  // it, or all that was written) or the first record of at least a timestamp, as the entry's offset
  // says. A timestamp later than all is answered by -1.
  [[nodiscard]] Result<std::vector<PlacedOffset>> list_offsets(
      const std::vector<PlacedOffset>& wanted,
      rd_kafka_IsolationLevel_t isolation = RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED) const;

  // The same without waiting: absent while there is no answer. Partitions that answer with an error
  // are left out.
  [[nodiscard]] Result<Question> ask_offsets(const std::vector<PlacedOffset>& wanted,
                                             rd_kafka_IsolationLevel_t isolation) const;
  [[nodiscard]] std::optional<std::vector<PlacedOffset>> answered_offsets(
      const Question& question) const;

  // In the order of `of`. All three are asked for at the same time.
  [[nodiscard]] Result<std::vector<PlacedBounds>> bounds(const std::vector<PlacedOffset>& of) const;

  // The stable ones of these partitions: waits for transactions that are about to change them. All
  // must be named: asked for whatever there is, the brokers leave out a partition whose first
  // commit has not arrived yet.
  [[nodiscard]] Result<std::vector<PlacedOffset>> committed(
      const std::string& group, const std::vector<PlacedOffset>& of) const;

 private:
  using Ask = std::function<void(rd_kafka_queue_t* answers, const rd_kafka_AdminOptions_t*)>;

  [[nodiscard]] Result<Question> send(
      rd_kafka_admin_op_t kind, std::string what, const Ask& send,
      const std::function<void(rd_kafka_AdminOptions_t*)>& adjust = {}) const;
  [[nodiscard]] Result<EventHandle> receive(const Question& question) const;
  [[nodiscard]] Result<EventHandle> ask(
      rd_kafka_admin_op_t kind, std::string_view what, const Ask& send,
      const std::function<void(rd_kafka_AdminOptions_t*)>& adjust = {}) const;
  // What some partitions answer with an error goes to `partitions`.
  [[nodiscard]] Result<std::vector<PlacedOffset>> receive_offsets(const Question& question,
                                                                  Status& partitions) const;
  [[nodiscard]] Result<std::vector<PlacedOffset>> committed_once(
      const std::string& group, const std::vector<PlacedOffset>& of, Status& partitions) const;
  [[nodiscard]] Status add_settings(std::vector<TopicState>& topics) const;

  Client& client_;
  const Options& options_;
};

}  // namespace penstock::kafka
