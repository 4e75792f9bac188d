#include "kafka/error_map.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::kafka {
namespace {

// By librdkafka's own names. A new version's new errors have to be put here by hand.
const std::map<ErrorCode, std::vector<std::string>> kTable = {
    {ErrorCode::kRetry,
     {"_TRANSPORT",
      "_RESOLVE",
      "_MSG_TIMED_OUT",
      "_ALL_BROKERS_DOWN",
      "_TIMED_OUT",
      "_ISR_INSUFF",
      "_NODE_UPDATE",
      "_SSL",
      "_WAIT_COORD",
      "_IN_PROGRESS",
      "_PREV_IN_PROGRESS",
      "_STATE",
      "_AUTHENTICATION",
      "_NO_OFFSET",
      "_OUTDATED",
      "_TIMED_OUT_QUEUE",
      "_WAIT_CACHE",
      "_INTR",
      "_PARTIAL",
      "_RETRY",
      "_PURGE_QUEUE",
      "_PURGE_INFLIGHT",
      "_MAX_POLL_EXCEEDED",
      "_UNKNOWN_BROKER",
      "_DESTROY_BROKER",
      "UNKNOWN",
      "OFFSET_OUT_OF_RANGE",
      "LEADER_NOT_AVAILABLE",
      "NOT_LEADER_FOR_PARTITION",
      "REQUEST_TIMED_OUT",
      "BROKER_NOT_AVAILABLE",
      "REPLICA_NOT_AVAILABLE",
      "STALE_CTRL_EPOCH",
      "NETWORK_EXCEPTION",
      "COORDINATOR_LOAD_IN_PROGRESS",
      "COORDINATOR_NOT_AVAILABLE",
      "NOT_COORDINATOR",
      "NOT_ENOUGH_REPLICAS",
      "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
      "REBALANCE_IN_PROGRESS",
      "NOT_CONTROLLER",
      "CONCURRENT_TRANSACTIONS",
      "TRANSACTION_COORDINATOR_FENCED",
      "OPERATION_NOT_ATTEMPTED",
      "KAFKA_STORAGE_ERROR",
      "LOG_DIR_NOT_FOUND",
      "REASSIGNMENT_IN_PROGRESS",
      "FETCH_SESSION_ID_NOT_FOUND",
      "INVALID_FETCH_SESSION_EPOCH",
      "LISTENER_NOT_FOUND",
      "FENCED_LEADER_EPOCH",
      "UNKNOWN_LEADER_EPOCH",
      "STALE_BROKER_EPOCH",
      "OFFSET_NOT_AVAILABLE",
      "MEMBER_ID_REQUIRED",
      "PREFERRED_LEADER_NOT_AVAILABLE",
      "GROUP_MAX_SIZE_REACHED",
      "ELIGIBLE_LEADERS_NOT_AVAILABLE",
      "ELECTION_NOT_NEEDED",
      "NO_REASSIGNMENT_IN_PROGRESS",
      "UNSTABLE_OFFSET_COMMIT",
      "THROTTLING_QUOTA_EXCEEDED",
      "UNKNOWN_TOPIC_ID",
      "INCONSISTENT_TOPIC_ID",
      "UNRELEASED_INSTANCE_ID",
      "UNKNOWN_CONTROLLER_ID",
      "REBOOTSTRAP_REQUIRED",
      "SHARE_SESSION_LIMIT_REACHED"}},
    {ErrorCode::kBusy, {"_QUEUE_FULL"}},
    {ErrorCode::kInvalid,
     {"_FS",
      "_INVALID_ARG",
      "_EXISTING_SUBSCRIPTION",
      "_CONFLICT",
      "_UNKNOWN_PROTOCOL",
      "_NOT_IMPLEMENTED",
      "_UNSUPPORTED_FEATURE",
      "_KEY_SERIALIZATION",
      "_VALUE_SERIALIZATION",
      "_INVALID_TYPE",
      "_NOT_CONFIGURED",
      "_INVALID_DIFFERENT_RECORD",
      "INVALID_MSG_SIZE",
      "MSG_SIZE_TOO_LARGE",
      "OFFSET_METADATA_TOO_LARGE",
      "TOPIC_EXCEPTION",
      "RECORD_LIST_TOO_LARGE",
      "INVALID_REQUIRED_ACKS",
      "INCONSISTENT_GROUP_PROTOCOL",
      "INVALID_GROUP_ID",
      "INVALID_SESSION_TIMEOUT",
      "INVALID_COMMIT_OFFSET_SIZE",
      "TOPIC_AUTHORIZATION_FAILED",
      "GROUP_AUTHORIZATION_FAILED",
      "CLUSTER_AUTHORIZATION_FAILED",
      "INVALID_TIMESTAMP",
      "UNSUPPORTED_SASL_MECHANISM",
      "ILLEGAL_SASL_STATE",
      "UNSUPPORTED_VERSION",
      "TOPIC_ALREADY_EXISTS",
      "INVALID_PARTITIONS",
      "INVALID_REPLICATION_FACTOR",
      "INVALID_REPLICA_ASSIGNMENT",
      "INVALID_CONFIG",
      "INVALID_REQUEST",
      "UNSUPPORTED_FOR_MESSAGE_FORMAT",
      "POLICY_VIOLATION",
      "INVALID_TRANSACTION_TIMEOUT",
      "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
      "SECURITY_DISABLED",
      "SASL_AUTHENTICATION_FAILED",
      "DELEGATION_TOKEN_AUTH_DISABLED",
      "DELEGATION_TOKEN_NOT_FOUND",
      "DELEGATION_TOKEN_OWNER_MISMATCH",
      "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED",
      "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
      "DELEGATION_TOKEN_EXPIRED",
      "INVALID_PRINCIPAL_TYPE",
      "NON_EMPTY_GROUP",
      "TOPIC_DELETION_DISABLED",
      "UNSUPPORTED_COMPRESSION_TYPE",
      "GROUP_SUBSCRIBED_TO_TOPIC",
      "INVALID_RECORD",
      "DUPLICATE_RESOURCE",
      "UNACCEPTABLE_CREDENTIAL",
      "PRINCIPAL_DESERIALIZATION_FAILURE",
      "UNSUPPORTED_ASSIGNOR",
      "MISMATCHED_ENDPOINT_TYPE",
      "UNSUPPORTED_ENDPOINT_TYPE",
      "INVALID_REGULAR_EXPRESSION"}},
    {ErrorCode::kNotFound,
     {"_UNKNOWN_PARTITION", "_UNKNOWN_TOPIC", "_UNKNOWN_GROUP", "_NOENT", "UNKNOWN_TOPIC_OR_PART",
      "GROUP_ID_NOT_FOUND", "RESOURCE_NOT_FOUND"}},
    {ErrorCode::kAbortTxn,
     {"_INCONSISTENT", "_GAPLESS_GUARANTEE", "OUT_OF_ORDER_SEQUENCE_NUMBER", "INVALID_TXN_STATE",
      "INVALID_PRODUCER_ID_MAPPING", "UNKNOWN_PRODUCER_ID", "TRANSACTION_ABORTABLE"}},
    {ErrorCode::kFenced,
     {"_FENCED", "_ASSIGNMENT_LOST", "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID",
      "INVALID_PRODUCER_EPOCH", "FENCED_INSTANCE_ID", "PRODUCER_FENCED", "FENCED_MEMBER_EPOCH",
      "STALE_MEMBER_EPOCH"}},
    {ErrorCode::kCorrupt,
     {"_BAD_MSG", "_BAD_COMPRESSION", "_KEY_DESERIALIZATION", "_VALUE_DESERIALIZATION",
      "_UNDERFLOW", "_LOG_TRUNCATION", "INVALID_MSG"}},
    {ErrorCode::kFatal,
     {"_DESTROY",
      "_FAIL",
      "_CRIT_SYS_RESOURCE",
      "_PARTITION_EOF",
      "_ASSIGN_PARTITIONS",
      "_REVOKE_PARTITIONS",
      "_READ_ONLY",
      "_FATAL",
      "_APPLICATION",
      "_NOOP",
      "_AUTO_OFFSET_RESET",
      "DUPLICATE_SEQUENCE_NUMBER",
      "INCONSISTENT_VOTER_SET",
      "INVALID_UPDATE_VERSION",
      "FEATURE_UPDATE_FAILED",
      "UNKNOWN_SUBSCRIPTION_ID",
      "TELEMETRY_TOO_LARGE",
      "INVALID_REGISTRATION",
      "INVALID_RECORD_STATE",
      "SHARE_SESSION_NOT_FOUND",
      "INVALID_SHARE_SESSION_EPOCH",
      "FENCED_STATE_EPOCH",
      "INVALID_VOTER_KEY",
      "DUPLICATE_VOTER",
      "VOTER_NOT_FOUND",
      "STREAMS_INVALID_TOPOLOGY",
      "STREAMS_INVALID_TOPOLOGY_EPOCH",
      "STREAMS_TOPOLOGY_FENCED"}},
};

std::map<std::string, ErrorCode> by_name() {
  std::map<std::string, ErrorCode> reactions;
  for (const auto& [reaction, names] : kTable) {
    for (const std::string& name : names) {
      EXPECT_TRUE(reactions.emplace(name, reaction).second) << name << " is there twice";
    }
  }
  return reactions;
}

TEST(ErrorMap, HasAReactionToEachErrorThatLibrdkafkaKnows) {
  const std::map<std::string, ErrorCode> reactions = by_name();
  const rd_kafka_err_desc* descriptions = nullptr;
  std::size_t count = 0;
  rd_kafka_get_err_descs(&descriptions, &count);

  std::size_t seen = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_err_desc& known = descriptions[i];
    if (known.name == nullptr || known.code == RD_KAFKA_RESP_ERR_NO_ERROR ||
        known.code == RD_KAFKA_RESP_ERR__BEGIN || known.code == RD_KAFKA_RESP_ERR__END) {
      continue;
    }
    const auto expected = reactions.find(known.name);
    ASSERT_NE(expected, reactions.end()) << known.name << " is not in the table";
    EXPECT_EQ(reaction_to(known.code), expected->second) << known.name;
    ++seen;
  }
  EXPECT_GT(seen, 150U);
}

TEST(ErrorMap, NamesTheErrorInItsMessage) {
  const Error error = to_error(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "topic \"web\"");

  EXPECT_EQ(error.code(), ErrorCode::kInvalid);
  EXPECT_NE(error.message().find("topic \"web\": "), std::string::npos);
  EXPECT_NE(error.message().find("TOPIC_AUTHORIZATION_FAILED"), std::string::npos);
}

}  // namespace
}  // namespace penstock::kafka
