// TopicDirectory knows the topics of this log by our number and by Kafka's name.
//
// Numbers are given here, in the order in which topics are met; a topic that was deleted, or
// deleted and made again, never gets its number back. Names are those of the port; in Kafka they
// have the log's prefix in front.
//
// Threads   any
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/guarded.h"
#include "core/result.h"
#include "log/types.h"

namespace penstock::kafka {

class TopicDirectory {
 public:
  explicit TopicDirectory(std::string prefix) : prefix_(std::move(prefix)) {}

  [[nodiscard]] std::string kafka_name(std::string_view name) const {
    return prefix_ + std::string(name);
  }

  // Absent: the topic is none of this log's.
  [[nodiscard]] std::optional<std::string> name_of(std::string_view kafka_name) const;

  // Takes in what the brokers say of a topic.
  log::TopicInfo put(const log::TopicConfig& config);
  void remove(std::string_view name);
  // Takes in all topics there are. One that is missing twice in a row is forgotten: once may be a
  // broker that has not heard of it yet.
  void put_all(const std::vector<log::TopicConfig>& configs);

  [[nodiscard]] std::optional<log::TopicInfo> find(TopicId id) const;
  [[nodiscard]] std::optional<TopicId> find(std::string_view name) const;
  // Sorted by name.
  [[nodiscard]] std::vector<log::TopicInfo> all() const;
  // kNotFound if there is no such topic or partition; else the topic's name in Kafka.
  [[nodiscard]] Result<std::string> check(TopicPartition partition) const;

 private:
  struct Topics {
    std::map<TopicId, log::TopicConfig> by_id;
    std::map<std::string, TopicId, std::less<>> by_name;
    std::set<std::string> missing;  // the last time
    std::uint32_t next = 1;

    log::TopicInfo put(const log::TopicConfig& config);
    void remove(std::string_view name);
  };

  const std::string prefix_;
  Guarded<Topics> topics_;
};

}  // namespace penstock::kafka
