// How each kind of librdkafka client is configured: what we need, then what the operator adds.
//
// Errors    kInvalid, naming the key: unknown to librdkafka, one of ours, or a value it refuses
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "kafka/handles.h"
#include "kafka/options.h"

namespace penstock::kafka {

enum class ClientKind {
  kAppender,       // idempotent producer; also asks the questions of an administrator
  kTransactional,  // one transactional id
  kReader,         // reads what it assigns to itself
  kMember,         // of a consumer group
};

struct ClientIdentity {
  std::string transactional_id{};  // kTransactional
  std::string group_id{};          // kMember
  std::string instance_id{};       // kMember: static membership, if not empty
};

[[nodiscard]] Result<ConfHandle> make_conf(const Options& options, ClientKind kind,
                                           const ClientIdentity& identity);

}  // namespace penstock::kafka
