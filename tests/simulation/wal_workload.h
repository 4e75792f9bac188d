// WalWorkload drives an embedded log through a script, remembers what it was promised, and checks
// any later state of the log against that.
//
// The script is drawn from a seed and does not depend on the log's answers, so the same seed does
// the same operations up to the moment where the disk fails. What it writes tells where it belongs:
// "w17:2" is the third record of write 17. The ledger knows of each write whether it was
// acknowledged, refused, or never answered; check() then demands:
//
//   - every acknowledged write is there, once, whole, in order, at gap-free offsets
//   - every unanswered write is there whole or not at all; every refused one is not
//   - committed offsets are those of the newest transaction that is there
//   - a compacted topic has, of each key, the newest write that is there
//   - a topic with retention has an unbroken end of what was written to it
//   - a deleted topic is gone
//
// Threads   one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/random.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "wal/embedded_log.h"

namespace penstock::simulation {

[[nodiscard]] wal::Options wal_test_options();

// One open log with its own metrics.
class WalUnderTest {
 public:
  [[nodiscard]] static Result<std::unique_ptr<WalUnderTest>> open(os::FileSystem& disk,
                                                                  const os::Clock& clock,
                                                                  std::uint64_t seed,
                                                                  const wal::Options& options);

  [[nodiscard]] wal::EmbeddedLog& log() { return *log_; }

  [[nodiscard]] telemetry::Registry& metrics() { return metrics_; }

 private:
  explicit WalUnderTest(std::uint64_t seed) : random_(seed) {}

  os::SeededRandom random_;
  telemetry::Registry metrics_;
  std::unique_ptr<wal::EmbeddedLog> log_;
};

class WalWorkload {
 public:
  explicit WalWorkload(std::uint64_t seed) : random_(seed) {}

  // Does up to `steps` steps of the script; less when the log fails. True if it did not.
  bool run(wal::EmbeddedLog& log, testing::SimClock& clock, int steps);

  // What is wrong with the log, in a few words; empty if nothing is. After it, unanswered writes
  // that were found count as acknowledged, the others as refused, so that the script can go on.
  [[nodiscard]] std::string check(wal::EmbeddedLog& log);

  [[nodiscard]] std::size_t acknowledged_count() const;

 private:
  enum class Outcome { kUnknown, kAcknowledged, kRefused };

  struct Part {
    std::string topic;
    std::int32_t partition = 0;
    int records = 0;
    std::string key;  // of all its records; of the compacted topic
    bool tombstone = false;
  };

  struct Write {
    std::vector<Part> parts;
    bool is_transaction = false;  // then it has committed offset `id` for the group
    Outcome outcome = Outcome::kUnknown;
  };

  struct Found;

  // While the log is open.
  struct Session {
    std::unique_ptr<log::Consumer> member;
    std::unique_ptr<log::TransactionalProducer> producer;
    std::map<std::string, TopicId> topics;
  };

  [[nodiscard]] bool start(wal::EmbeddedLog& log, Session& session);
  [[nodiscard]] bool step(wal::EmbeddedLog& log, testing::SimClock& clock, Session& session);
  [[nodiscard]] Write random_write();
  void append(wal::EmbeddedLog& log, Session& session);
  void commit(Session& session);
  [[nodiscard]] bool renew_producer(wal::EmbeddedLog& log, Session& session);
  [[nodiscard]] bool churn_topic(wal::EmbeddedLog& log);
  [[nodiscard]] std::vector<log::PartitionBatch> encode(const Session& session, std::size_t id);
  void settle(std::size_t id, bool acknowledged);

  [[nodiscard]] std::string read_all(wal::EmbeddedLog& log, Found& found);
  [[nodiscard]] std::string check_plain(const Found& found);
  [[nodiscard]] std::string check_expiring(const Found& found) const;
  [[nodiscard]] std::string check_compacted(const Found& found) const;
  [[nodiscard]] std::string check_offsets(wal::EmbeddedLog& log);
  [[nodiscard]] std::string check_churned(wal::EmbeddedLog& log);

  os::SeededRandom random_;
  std::vector<Write> writes_;
  // The topic that comes and goes: what the last answered call has left, and an unanswered one.
  bool churned_exists_ = false;
  bool churn_unknown_ = false;
};

}  // namespace penstock::simulation
