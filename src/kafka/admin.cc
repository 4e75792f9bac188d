#include "kafka/admin.h"

#include <algorithm>
#include <array>

#include "core/check.h"
#include "kafka/error_map.h"
#include "os/pause.h"

namespace penstock::kafka {
namespace {

// librdkafka gives up by itself at the timeout; this is for its own way to us.
constexpr int kGraceMs = 1'000;
constexpr int kAttemptsMax = 50;
constexpr std::chrono::milliseconds kAttemptPause{100};
constexpr std::array kSettings = {"cleanup.policy", "retention.ms", "retention.bytes",
                                  "min.insync.replicas"};

Error named(rd_kafka_resp_err_t code, const char* reason, std::string_view what) {
  return {reaction_to(code), std::string(what) + ": " +
                                 (reason != nullptr ? reason : rd_kafka_err2str(code)) + " (" +
                                 rd_kafka_err2name(code) + ")"};
}

Status first_error(const rd_kafka_topic_result_t** results, std::size_t count,
                   std::string_view what) {
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return named(code, rd_kafka_topic_result_error_string(results[i]), what);
    }
  }
  return {};
}

TopicState state_of(const rd_kafka_metadata_topic& topic) {
  TopicState state;
  state.name = topic.topic;
  state.partition_count = topic.partition_cnt;
  state.has_leaders = topic.partition_cnt > 0;
  state.replication_factor = topic.partition_cnt > 0 ? topic.partitions[0].replica_cnt : 0;
  for (int i = 0; i < topic.partition_cnt; ++i) {
    const rd_kafka_metadata_partition& partition = topic.partitions[i];
    state.replication_factor = std::min(state.replication_factor, partition.replica_cnt);
    state.has_leaders = state.has_leaders && partition.leader >= 0;
  }
  return state;
}

TopicState state_of(const rd_kafka_TopicDescription_t& topic) {
  TopicState state;
  state.name = rd_kafka_TopicDescription_name(&topic);
  std::size_t count = 0;
  const auto** partitions = rd_kafka_TopicDescription_partitions(&topic, &count);
  state.partition_count = static_cast<std::int32_t>(count);
  state.has_leaders = count > 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t replica_count = 0;
    (void)rd_kafka_TopicPartitionInfo_replicas(partitions[i], &replica_count);
    const auto replicas = static_cast<std::int32_t>(replica_count);
    state.replication_factor = i == 0 ? replicas : std::min(state.replication_factor, replicas);
    const rd_kafka_Node_t* leader = rd_kafka_TopicPartitionInfo_leader(partitions[i]);
    state.has_leaders = state.has_leaders && leader != nullptr && rd_kafka_Node_id(leader) >= 0;
  }
  return state;
}

PartitionListHandle placed_list(const std::vector<PlacedOffset>& of) {
  PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(of.size())));
  for (const PlacedOffset& one : of) {
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition)->offset =
        one.offset;
  }
  return list;
}

// The last error of the partitions that were not cut.
Status deletion_errors(rd_kafka_event_t* answer) {
  Status partitions;
  const auto* cut =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(answer));
  for (int i = 0; i < cut->cnt; ++i) {
    const rd_kafka_topic_partition_t& at = cut->elems[i];
    const std::string what = "deleting records of topic \"" + std::string(at.topic) +
                             "\", partition " + std::to_string(at.partition);
    if (at.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
      return Error(ErrorCode::kInvalid, what + ": the offset is behind its end");
    }
    if (at.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      partitions = named(at.err, nullptr, what);
    }
  }
  return partitions;
}

// Those that were answered; the last error of the others goes to `partitions`.
std::vector<PlacedOffset> offsets_in(rd_kafka_event_t* answer, Status& partitions) {
  std::vector<PlacedOffset> offsets;
  std::size_t count = 0;
  const auto** infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(answer), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* at = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    if (at->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      partitions = named(at->err, nullptr,
                         "offsets of topic \"" + std::string(at->topic) + "\", partition " +
                             std::to_string(at->partition));
    } else {
      offsets.push_back({at->topic, at->partition, at->offset, {}});
    }
  }
  return offsets;
}

// Asks again while single partitions cannot answer: one that is changing its leader says so at
// once, for a moment, and that of a topic that was just made may not have heard of it.
template <typename Answer, typename Once>
Result<Answer> retried(const Once& ask_once) {
  for (int attempt = 1;; ++attempt) {
    Status partitions;
    auto answer = ask_once(partitions);
    if (partitions || !answer) {
      return answer;
    }
    const ErrorCode code = partitions.error().code();
    const bool may_pass = code == ErrorCode::kRetry || code == ErrorCode::kNotFound;
    if (!may_pass || attempt == kAttemptsMax) {
      return partitions.error();
    }
    os::pause(kAttemptPause);
  }
}

// Brokers answer in any order. `answers`: starts, ends, ends of everything written.
Result<std::vector<PlacedBounds>> put_together(
    const std::vector<PlacedOffset>& of, const std::array<std::vector<PlacedOffset>, 3>& answers) {
  using Place = std::pair<std::string_view, std::int32_t>;
  std::array<std::map<Place, std::int64_t>, 3> found;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (const PlacedOffset& at : answers[i]) {
      found[i][{at.topic, at.partition}] = at.offset;
    }
  }
  std::vector<PlacedBounds> bounds;
  for (const PlacedOffset& one : of) {
    std::array<std::int64_t, 3> offsets{};
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto at = found[i].find({one.topic, one.partition});
      if (at == found[i].end()) {
        return Error(ErrorCode::kRetry, "no answer about the offsets of topic \"" + one.topic +
                                            "\", partition " + std::to_string(one.partition));
      }
      offsets[i] = at->second;
    }
    bounds.push_back({one.topic, one.partition, offsets[0], std::max(offsets[0], offsets[1]),
                      std::max(offsets[0], offsets[2])});
  }
  return bounds;
}

}  // namespace

Result<EventHandle> Admin::ask(rd_kafka_admin_op_t kind, std::string_view what, const Ask& ask,
                               const std::function<void(rd_kafka_AdminOptions_t*)>& adjust) const {
  PENSTOCK_TRY_ASSIGN(const Question question, send(kind, std::string(what), ask, adjust));
  return receive(question);
}

Result<Admin::Question> Admin::send(
    rd_kafka_admin_op_t kind, std::string what, const Ask& send,
    const std::function<void(rd_kafka_AdminOptions_t*)>& adjust) const {
  const auto timeout_ms = static_cast<int>(options_.request_timeout.count());
  const AdminOptionsHandle options(rd_kafka_AdminOptions_new(client_.get(), kind));
  std::array<char, 256> reason{};
  PENSTOCK_TRY(to_status(rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms,
                                                                   reason.data(), reason.size()),
                         what));
  if (adjust) {
    adjust(options.get());
  }
  Question question{std::move(what), QueueHandle(rd_kafka_queue_new(client_.get()))};
  send(question.answers.get(), options.get());
  return question;
}

Result<EventHandle> Admin::receive(const Question& question) const {
  const auto timeout_ms = static_cast<int>(options_.request_timeout.count());
  EventHandle answer(rd_kafka_queue_poll(question.answers.get(), timeout_ms + kGraceMs));
  if (answer == nullptr) {
    return Error(ErrorCode::kRetry, question.what + ": the brokers did not answer in time");
  }
  const rd_kafka_resp_err_t code = rd_kafka_event_error(answer.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return named(code, rd_kafka_event_error_string(answer.get()), question.what);
  }
  return answer;
}

Result<TopicState> Admin::describe(const std::string& topic) const {
  const std::string what = "topic \"" + topic + "\"";
  std::array<const char*, 1> names = {topic.c_str()};
  const TopicCollectionHandle wanted(rd_kafka_TopicCollection_of_topic_names(names.data(), 1));
  PENSTOCK_TRY_ASSIGN(const EventHandle answer,
                      ask(RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, what,
                          [&](rd_kafka_queue_t* answers, const rd_kafka_AdminOptions_t* options) {
                            rd_kafka_DescribeTopics(client_.get(), wanted.get(), options, answers);
                          }));
  std::size_t count = 0;
  const auto** topics = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(answer.get()), &count);
  if (count != 1) {
    return Error(ErrorCode::kNotFound, what + ": the brokers do not know it");
  }
  const rd_kafka_error_t* error = rd_kafka_TopicDescription_error(topics[0]);
  if (error != nullptr && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return named(rd_kafka_error_code(error), nullptr, what);
  }
  std::vector<TopicState> found = {state_of(*topics[0])};
  PENSTOCK_TRY(add_settings(found));
  if (found.empty()) {  // one broker knows it already, or still; another one does not
    return Error(ErrorCode::kNotFound, what + ": not all brokers know it");
  }
  return std::move(found.front());
}

Result<std::vector<TopicState>> Admin::describe_all() const {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto timeout_ms = static_cast<int>(options_.request_timeout.count());
  PENSTOCK_TRY(to_status(rd_kafka_metadata(client_.get(), 1, nullptr, &metadata, timeout_ms),
                         "the list of topics"));
  std::vector<TopicState> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic& topic = metadata->topics[i];
    const std::string_view name = topic.topic;
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR && name.starts_with(options_.prefix) &&
        !name.starts_with("__")) {
      topics.push_back(state_of(topic));
    }
  }
  rd_kafka_metadata_destroy(metadata);
  PENSTOCK_TRY(add_settings(topics));
  std::ranges::sort(topics, {}, &TopicState::name);
  return topics;
}

// Those that are gone meanwhile are taken out.
Status Admin::add_settings(std::vector<TopicState>& topics) const {
  if (topics.empty()) {
    return {};
  }
  std::vector<ConfigResourceHandle> owned;
  std::vector<rd_kafka_ConfigResource_t*> wanted;
  for (const TopicState& topic : topics) {
    owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
    wanted.push_back(owned.back().get());
  }
  PENSTOCK_TRY_ASSIGN(const EventHandle answer,
                      ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "the settings of topics",
                          [&](rd_kafka_queue_t* answers, const rd_kafka_AdminOptions_t* options) {
                            rd_kafka_DescribeConfigs(client_.get(), wanted.data(), wanted.size(),
                                                     options, answers);
                          }));
  std::map<std::string, std::map<std::string, std::string>, std::less<>> settings;
  std::size_t count = 0;
  const auto** resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(answer.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[i]);
    const char* const topic = rd_kafka_ConfigResource_name(resources[i]);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      continue;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return named(code, rd_kafka_ConfigResource_error_string(resources[i]),
                   std::string("the settings of topic \"") + topic + "\"");
    }
    std::size_t entry_count = 0;
    const auto** entries = rd_kafka_ConfigResource_configs(resources[i], &entry_count);
    for (std::size_t at = 0; at < entry_count; ++at) {
      const std::string_view name = rd_kafka_ConfigEntry_name(entries[at]);
      const char* const value = rd_kafka_ConfigEntry_value(entries[at]);
      if (value != nullptr && std::ranges::find(kSettings, name) != kSettings.end()) {
        settings[topic].emplace(name, value);
      }
    }
  }
  std::erase_if(topics, [&](const TopicState& topic) { return !settings.contains(topic.name); });
  for (TopicState& topic : topics) {
    topic.settings = settings[topic.name];
  }
  return {};
}

Status Admin::create(const std::string& topic, std::int32_t partition_count,
                     const std::map<std::string, std::string>& settings) const {
  const std::string what = "creating topic \"" + topic + "\"";
  std::array<char, 256> reason{};
  const NewTopicHandle wanted(rd_kafka_NewTopic_new(
      topic.c_str(), partition_count, options_.replication_factor, reason.data(), reason.size()));
  if (wanted == nullptr) {
    return Error(ErrorCode::kInvalid, what + ": " + reason.data());
  }
  for (const auto& [key, value] : settings) {
    PENSTOCK_TRY(
        to_status(rd_kafka_NewTopic_set_config(wanted.get(), key.c_str(), value.c_str()), what));
  }
  rd_kafka_NewTopic_t* one = wanted.get();
  PENSTOCK_TRY_ASSIGN(const EventHandle answer,
                      ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, what,
                          [&](rd_kafka_queue_t* answers, const rd_kafka_AdminOptions_t* options) {
                            rd_kafka_CreateTopics(client_.get(), &one, 1, options, answers);
                          }));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()), &count);
  return first_error(results, count, what);
}

Status Admin::remove(const std::string& topic) const {
  const std::string what = "deleting topic \"" + topic + "\"";
  const DeleteTopicHandle wanted(rd_kafka_DeleteTopic_new(topic.c_str()));
  rd_kafka_DeleteTopic_t* one = wanted.get();
  PENSTOCK_TRY_ASSIGN(const EventHandle answer,
                      ask(RD_KAFKA_ADMIN_OP_DELETETOPICS, what,
                          [&](rd_kafka_queue_t* answers, const rd_kafka_AdminOptions_t* options) {
                            rd_kafka_DeleteTopics(client_.get(), &one, 1, options, answers);
                          }));
  std::size_t count = 0;
  const auto** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(answer.get()), &count);
  return first_error(results, count, what);
}

Status Admin::delete_records(const std::vector<PlacedOffset>& before) const {
  if (before.empty()) {
    return {};
  }
  const PartitionListHandle list(placed_list(before));
  const DeleteRecordsHandle wanted(rd_kafka_DeleteRecords_new(list.get()));
  rd_kafka_DeleteRecords_t* one = wanted.get();
  PENSTOCK_TRY_ASSIGN(const EventHandle answer,
                      ask(RD_KAFKA_ADMIN_OP_DELETERECORDS, "deleting records",
                          [&](rd_kafka_queue_t* answers, const rd_kafka_AdminOptions_t* options) {
                            rd_kafka_DeleteRecords(client_.get(), &one, 1, options, answers);
                          }));
  return deletion_errors(answer.get());
}

Status Admin::change(const std::string& topic,
                     const std::map<std::string, std::string>& settings) const {
  const std::string what = "changing the settings of topic \"" + topic + "\"";
  const ConfigResourceHandle resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  for (const auto& [key, value] : settings) {
    PENSTOCK_TRY(to_status(
        ErrorHandle(rd_kafka_ConfigResource_add_incremental_config(
            resource.get(), key.c_str(), RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, value.c_str())),
        what));
  }
  rd_kafka_ConfigResource_t* one = resource.get();
  PENSTOCK_TRY_ASSIGN(const EventHandle answer,
                      ask(RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS, what,
                          [&](rd_kafka_queue_t* answers, const rd_kafka_AdminOptions_t* options) {
                            rd_kafka_IncrementalAlterConfigs(client_.get(), &one, 1, options,
                                                             answers);
                          }));
  std::size_t count = 0;
  const auto** resources = rd_kafka_IncrementalAlterConfigs_result_resources(
      rd_kafka_event_IncrementalAlterConfigs_result(answer.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[i]);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return named(code, rd_kafka_ConfigResource_error_string(resources[i]), what);
    }
  }
  return {};
}

Result<std::vector<PlacedOffset>> Admin::list_offsets(const std::vector<PlacedOffset>& wanted,
                                                      rd_kafka_IsolationLevel_t isolation) const {
  if (wanted.empty()) {
    return std::vector<PlacedOffset>();
  }
  return retried<std::vector<PlacedOffset>>(
      [&](Status& partitions) -> Result<std::vector<PlacedOffset>> {
        PENSTOCK_TRY_ASSIGN(const Question question, ask_offsets(wanted, isolation));
        return receive_offsets(question, partitions);
      });
}

Result<std::vector<PlacedBounds>> Admin::bounds(const std::vector<PlacedOffset>& of) const {
  if (of.empty()) {
    return std::vector<PlacedBounds>();
  }
  std::vector<PlacedOffset> starts = of;
  for (PlacedOffset& one : starts) {
    one.offset = RD_KAFKA_OFFSET_SPEC_EARLIEST;
  }
  std::vector<PlacedOffset> ends = of;
  for (PlacedOffset& one : ends) {
    one.offset = RD_KAFKA_OFFSET_SPEC_LATEST;
  }
  return retried<std::vector<PlacedBounds>>(
      [&](Status& partitions) -> Result<std::vector<PlacedBounds>> {
        const std::array<Result<Question>, 3> questions = {
            ask_offsets(starts, RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED),
            ask_offsets(ends, RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED),
            ask_offsets(ends, RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED)};
        std::array<std::vector<PlacedOffset>, 3> answers;
        for (std::size_t i = 0; i < questions.size(); ++i) {
          if (!questions[i]) {
            return questions[i].error();
          }
          PENSTOCK_TRY_ASSIGN(answers[i], receive_offsets(*questions[i], partitions));
        }
        return partitions ? put_together(of, answers) : Result<std::vector<PlacedBounds>>({});
      });
}

Result<Admin::Question> Admin::ask_offsets(const std::vector<PlacedOffset>& wanted,
                                           rd_kafka_IsolationLevel_t isolation) const {
  const PartitionListHandle list(placed_list(wanted));
  return send(
      RD_KAFKA_ADMIN_OP_LISTOFFSETS, "offsets of partitions",
      [&](rd_kafka_queue_t* answers, const rd_kafka_AdminOptions_t* options) {
        rd_kafka_ListOffsets(client_.get(), list.get(), options, answers);
      },
      [isolation](rd_kafka_AdminOptions_t* options) {
        const ErrorHandle refused(rd_kafka_AdminOptions_set_isolation_level(options, isolation));
        PENSTOCK_CHECK(refused == nullptr);
      });
}

Result<std::vector<PlacedOffset>> Admin::receive_offsets(const Question& question,
                                                         Status& partitions) const {
  PENSTOCK_TRY_ASSIGN(const EventHandle answer, receive(question));
  return offsets_in(answer.get(), partitions);
}

std::optional<std::vector<PlacedOffset>> Admin::answered_offsets(const Question& question) const {
  const EventHandle answer(rd_kafka_queue_poll(question.answers.get(), 0));
  if (answer == nullptr) {
    return std::nullopt;
  }
  Status partitions;
  return offsets_in(answer.get(), partitions);
}

// While a transaction that commits an offset has not reached its partition, the brokers say so.
Result<std::vector<PlacedOffset>> Admin::committed(const std::string& group,
                                                   const std::vector<PlacedOffset>& of) const {
  return retried<std::vector<PlacedOffset>>(
      [&](Status& partitions) { return committed_once(group, of, partitions); });
}

Result<std::vector<PlacedOffset>> Admin::committed_once(const std::string& group,
                                                        const std::vector<PlacedOffset>& of,
                                                        Status& partitions) const {
  if (of.empty()) {
    return std::vector<PlacedOffset>();
  }
  const PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(of.size())));
  for (const PlacedOffset& one : of) {
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition);
  }
  const std::string what = "committed offsets of group \"" + group + "\"";
  const ListGroupOffsetsHandle wanted(
      rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), list.get()));
  rd_kafka_ListConsumerGroupOffsets_t* one = wanted.get();
  PENSTOCK_TRY_ASSIGN(
      const EventHandle answer,
      ask(
          RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, what,
          [&](rd_kafka_queue_t* answers, const rd_kafka_AdminOptions_t* options) {
            rd_kafka_ListConsumerGroupOffsets(client_.get(), &one, 1, options, answers);
          },
          [](rd_kafka_AdminOptions_t* options) {
            const ErrorHandle refused(rd_kafka_AdminOptions_set_require_stable_offsets(options, 1));
            PENSTOCK_CHECK(refused == nullptr);
          }));
  std::vector<PlacedOffset> offsets;
  std::size_t group_count = 0;
  const auto** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(answer.get()), &group_count);
  for (std::size_t i = 0; i < group_count; ++i) {
    if (const rd_kafka_error_t* error = rd_kafka_group_result_error(groups[i])) {
      if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
        continue;  // it has committed nothing yet
      }
      return to_error(*error, what);
    }
    const rd_kafka_topic_partition_list_t* found = rd_kafka_group_result_partitions(groups[i]);
    for (int at = 0; at < found->cnt; ++at) {
      const rd_kafka_topic_partition_t& partition = found->elems[at];
      if (partition.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        partitions = named(partition.err, nullptr, what);
        return offsets;
      }
      if (partition.offset >= 0) {
        const auto* metadata = static_cast<const char*>(partition.metadata);
        offsets.push_back(
            {partition.topic, partition.partition, partition.offset,
             std::string(metadata, metadata == nullptr ? 0 : partition.metadata_size)});
      }
    }
  }
  return offsets;
}

}  // namespace penstock::kafka
