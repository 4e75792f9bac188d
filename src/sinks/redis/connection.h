// RedisConnection is one connection to one Redis server: commands, also many at once, each answered
// within a limited time, whatever the server or the network does.
//
// Connecting includes TLS, HELLO or AUTH, and SELECT. An error of the server is a reply like any
// other: what it means is the caller's to know. After an Error the connection is not to be used any
// more.
//
// Threads   one; the flag may be raised from any.
// Lifetime  clock and flag outlive it.
// Errors    kRetry  the server is away, does not answer in time, or refuses the connection
// Source    hiredis 1.5; redis.io, "HELLO"
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/counter.h"
#include "core/result.h"
#include "os/clock.h"
#include "sinks/redis/redis_error.h"
#include "sinks/redis/redis_reply.h"

namespace penstock::sinks {

class RedisConnection {
 public:
  struct Tls {
    std::optional<std::string> ca_file;  // absent: the system's
    std::optional<std::string> certificate_file;
    std::optional<std::string> key_file;
  };

  struct Options {
    std::optional<std::string> user;
    std::optional<std::string> password;
    std::optional<Tls> tls;
    std::uint32_t protocol = 3;  // of RESP
    std::uint32_t database = 0;
    std::string client_name;
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds request_timeout{30'000};
  };

  // `interrupted`: once raised, what waits for the server ends with kRetry.
  [[nodiscard]] static Result<std::unique_ptr<RedisConnection>> connect(const RedisAddress& address,
                                                                        const Options& options,
                                                                        const os::Clock& clock,
                                                                        const Flag& interrupted);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  [[nodiscard]] Result<RedisReply> execute(std::span<const std::string> command);

  // Takes a command, encoded, to be sent at the latest by the next receive().
  [[nodiscard]] Status send(std::string_view encoded);
  // Sends what can be sent without waiting.
  [[nodiscard]] Status flush();
  // The reply to the oldest command that has none yet.
  [[nodiscard]] Result<RedisReply> receive();

 private:
  class Impl;
  explicit RedisConnection(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// Commands as RESP writes them: a count of words, then the words.
void append_count(std::string& encoded, std::size_t count);
void append_word(std::string& encoded, std::string_view word);

}  // namespace penstock::sinks
