// RedisDestination keeps values, counters, sorted sets or sessions in Redis by the events of a
// topic.
//
// What the records of one partition do and the partition's position change in one script, which
// first compares position and lease (scripts.h). All keys of a partition are in one slot, or there
// is but one server: so a server that loses its newest writes, by a crash, a FLUSHALL or a failover
// to a stale replica, loses both together, and the sink goes on from what is left.
//
// A process takes the next epoch when it opens the sink for the first time, and keeps it: so it
// knows a successor from a predecessor that has come back with an old replica. Each opening takes a
// new lease, and what an older connection has sent counts no more.
//
// A write is atomic for each partition, not for all together. When it is refused, part of it may
// have been done: what, is known by `at_`, and left out when the rest is given again.
// Why so: docs/adr/0023-redis.md.
//
// Errors    as Destination
// Threads   one; interrupt() from any.
// Lifetime  the clock outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/counter.h"
#include "os/clock.h"
#include "os/random.h"
#include "sinks/redis/redis_updates.h"
#include "sinks/redis/servers.h"
#include "sinks/runtime/destination.h"

namespace penstock::sinks {

class RedisDestination final : public Destination {
 public:
  struct Options {
    std::string sink;
    std::string topic;
    RedisServers::Options servers;
    RedisUpdates::Options updates;
  };

  // kInvalid: a JSON Pointer cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<RedisDestination>> make(const os::Clock& clock,
                                                                      os::Random& random,
                                                                      Options options);

  [[nodiscard]] Result<std::vector<Offset>> open(std::int32_t partition_count) override;
  [[nodiscard]] std::vector<Refusal> prepare(std::span<const SinkRecord> records) override;
  [[nodiscard]] Status write(const SinkPiece& piece) override;
  [[nodiscard]] Status check() override;

  void interrupt() override { interrupted_.raise(); }

 private:
  using Call = RedisServers::Call;

  RedisDestination(const os::Clock& clock, std::string owner, std::unique_ptr<RedisUpdates> updates,
                   Options options);

  [[nodiscard]] std::string position_key(std::size_t partition) const;
  [[nodiscard]] Call call_on(std::size_t partition) const;
  [[nodiscard]] Status take_over();
  [[nodiscard]] Status probe();
  // A call of the write script that brings the partition to `to`, as yet without records.
  [[nodiscard]] Call begin_write(std::size_t partition, Offset to) const;
  static void add(Call& call, const RedisUpdates::Encoded& record);
  [[nodiscard]] Status run(const std::vector<std::size_t>& partitions,
                           const std::vector<Call>& calls);
  [[nodiscard]] Status settle(std::size_t partition, const RedisReply& reply);
  [[nodiscard]] Error lost(std::size_t partition, const RedisReply& reply) const;

  const std::string owner_;
  const Options options_;
  Flag interrupted_;
  RedisServers servers_;
  std::unique_ptr<RedisUpdates> updates_;
  std::uint64_t lease_count_ = 0;
  std::string lease_;
  std::vector<std::int64_t> epochs_;  // by partition; 0: not had yet
  std::vector<Offset> at_;            // where each partition is
};

}  // namespace penstock::sinks
