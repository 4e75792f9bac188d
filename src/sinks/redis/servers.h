// RedisServers is the servers behind a Redis sink, whatever they are: one, the master that Sentinel
// names, or the nodes of a Cluster. It runs scripts where their keys are.
//
// Scripts go by their digest (EVALSHA), and as text where a server does not know them yet. Calls of
// different nodes run at the same time; MOVED and ASK are followed. What a server answers
// otherwise, errors included, is handed on.
//
// Threads   one; the flag may be raised from any.
// Lifetime  clock and flag outlive it.
// Errors    kRetry  a server is away or not to be used; whether calls were run is not known. Then
//           connect() again
// Source    redis.io, "Redis cluster specification", "Sentinel client spec"
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/counter.h"
#include "core/result.h"
#include "os/clock.h"
#include "sinks/redis/connection.h"
#include "sinks/redis/redis_error.h"
#include "sinks/redis/redis_reply.h"

namespace penstock::sinks {

enum class RedisDeployment { kSingle, kSentinel, kCluster };

class RedisServers {
 public:
  struct Options {
    RedisDeployment deployment = RedisDeployment::kSingle;
    std::vector<RedisAddress> addresses;
    std::string master;  // its name, for kSentinel
    RedisConnection::Options connection;
    RedisConnection::Options sentinel_connection;
  };

  struct Call {
    std::uint16_t slot = 0;
    std::size_t key_count = 0;
    std::size_t argument_count = 0;
    std::string keys;  // words as RESP writes them
    std::string arguments;

    void add_key(std::string_view key);
    void add_argument(std::string_view argument);
  };

  RedisServers(Options options, const os::Clock& clock, const Flag& interrupted)
      : options_(std::move(options)), clock_(clock), interrupted_(interrupted) {}

  // Closes all connections and finds out anew who is who.
  [[nodiscard]] Status connect();

  // One reply for each call.
  [[nodiscard]] Result<std::vector<RedisReply>> run(const char* script,
                                                    std::span<const Call> calls);

 private:
  struct Attempt {
    std::size_t index = 0;  // of the call
    RedisAddress address;
    bool is_asking = false;
    bool in_full = false;  // the text of the script instead of its digest
  };

  [[nodiscard]] Result<RedisAddress> master_by_sentinel();
  [[nodiscard]] Status learn_slots();
  [[nodiscard]] Status learn_slots_from(const RedisAddress& address);
  [[nodiscard]] Result<RedisConnection*> node(const RedisAddress& address);
  [[nodiscard]] Status send(const Attempt& attempt, const char* script, const Call& call);
  // What is to be tried next because of that reply; nothing: the reply is the answer.
  [[nodiscard]] std::optional<Attempt> next(const Attempt& attempt, const Call& call,
                                            const RedisReply& reply);
  [[nodiscard]] Result<std::string> digest(RedisConnection& connection, const char* script);

  const Options options_;
  const os::Clock& clock_;
  const Flag& interrupted_;
  std::map<RedisAddress, std::unique_ptr<RedisConnection>> nodes_;
  std::optional<RedisAddress> master_;  // but for kCluster
  std::vector<RedisAddress> slots_;     // of kCluster, by slot; an empty host: nobody
  std::set<RedisAddress> known_;        // of kCluster: who may be asked
  std::map<const char*, std::string> digests_;
};

}  // namespace penstock::sinks
