// What a sink does about an error of Redis, by its message, whose first word is its code.
//
// Source: Redis 7.0, src/server.c (createSharedObjects), t_string.c, t_hash.c, t_zset.c, cluster.c
//
// Threads   any.
#pragma once

#include <optional>
#include <string_view>

#include "config/server_address.h"
#include "core/result.h"

namespace penstock::sinks {

using RedisAddress = config::ServerAddress;

// kInvalid: the server refuses this record (its key holds another type, a number is none or becomes
// too large). Everything else may pass, be it because somebody mends it: kRetry.
[[nodiscard]] ErrorCode code_of_redis_error(std::string_view message);

// Where another node has the slot: "MOVED 3999 10.0.0.1:6381", or only for this once: "ASK ...".
struct Redirection {
  bool is_ask = false;
  RedisAddress to;
};

// `from` said it: a host that it leaves out is its own.
[[nodiscard]] std::optional<Redirection> parse_redirection(std::string_view message,
                                                           const RedisAddress& from);

}  // namespace penstock::sinks
