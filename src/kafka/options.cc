#include "kafka/options.h"

#include "kafka/client_settings.h"

namespace penstock::kafka {
namespace {

constexpr std::size_t kMessageBytesMin = 64 * kKiB;
constexpr std::size_t kMessageBytesMax = 512 * kMiB;

Error invalid(const std::string& message) {
  return {ErrorCode::kInvalid, message};
}

}  // namespace

Status check_options(const Options& options) {
  if (options.bootstrap_servers.empty()) {
    return invalid("the Kafka log has no bootstrap servers");
  }
  if (options.replication_factor < 1 || options.min_insync_replicas < 1 ||
      options.min_insync_replicas > options.replication_factor) {
    return invalid("min.insync.replicas must be from 1 to the replication factor, " +
                   std::to_string(options.replication_factor) + ", not " +
                   std::to_string(options.min_insync_replicas));
  }
  if (options.message_bytes_max < kMessageBytesMin ||
      options.message_bytes_max > kMessageBytesMax) {
    return invalid("the largest Kafka message, " + format_bytes(options.message_bytes_max) +
                   ", is not from 64 KiB to 512 MiB");
  }
  if (options.append_queue_bytes_max < options.message_bytes_max ||
      options.append_queue_length_max == 0 ||
      options.transaction_bytes_max < options.message_bytes_max) {
    return invalid("queues and transactions must hold at least the largest Kafka message, " +
                   format_bytes(options.message_bytes_max));
  }
  for (const auto kind : {ClientKind::kAppender, ClientKind::kMember}) {
    PENSTOCK_TRY(make_conf(options, kind, {.group_id = "check"}));
  }
  return {};
}

}  // namespace penstock::kafka
