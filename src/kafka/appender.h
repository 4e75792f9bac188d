// Appender is Log::append(): an idempotent producer that answers when all of an append is durable.
//
// Appends come from any thread into a mailbox; one thread gives their records to librdkafka and
// takes its delivery reports, so that each append is counted down by one owner. With acks=all a
// report without error means: on min.insync.replicas.
//
// Invariants
//   I1  At most append_queue_bytes_max of batches are on their way; beyond, append() takes nothing.
//   I2  `done` of an append that was taken runs exactly once, on the appender's thread.
//   I3  Batches of one caller to one partition keep their order.
//
// Threads   append() and status() from any thread
// Lifetime  directory and logger outlive it. Its destructor answers what is under way with kRetry.
// Errors    of append()   kBusy      I1
//                         kNotFound  no such topic or partition
//                         kInvalid   a batch that cannot be decoded
//           of `done`     kRetry     not acknowledged in time; it may be stored all the same
//                         kInvalid   the brokers refuse it: too large, or no right to write
//                         kFatal     librdkafka can no longer keep order; open the log again
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/guarded.h"
#include "core/mailbox.h"
#include "core/memory_budget.h"
#include "kafka/client.h"
#include "kafka/options.h"
#include "kafka/topic_directory.h"
#include "log/log.h"
#include "os/thread.h"

namespace penstock::kafka {

class Appender final : private Client::Listener {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Appender>> open(const Options& options,
                                                              const TopicDirectory& directory,
                                                              const Client::Shared& shared);
  ~Appender() override;

  [[nodiscard]] Status append(std::vector<log::PartitionBatch> batches, log::AppendDone done);

  [[nodiscard]] log::LogStatus status() const;

  // For questions of an administrator.
  [[nodiscard]] Client& client() { return *client_; }

  // What the client complained about last; empty if nothing.
  [[nodiscard]] std::string last_complaint() const;

 private:
  struct Append;

  // The opaque of each message: to which batch of which append it belongs.
  struct Slot {
    Append* append;
    std::size_t batch;
  };

  struct Append {
    std::vector<log::PartitionBatch> batches;
    log::AppendDone done;
    std::vector<std::string> topics;  // of each batch, as Kafka names it
    std::vector<Slot> slots;
    std::vector<Offset> bases;  // of each batch; below 0 until known
    std::size_t size = 0;
    std::uint64_t left = 0;  // messages without a report
    Status outcome;
  };

  Appender(const Options& options, const TopicDirectory& directory)
      : directory_(directory),
        budget_(options.append_queue_bytes_max),
        arrived_(options.append_queue_length_max) {}

  void on_delivery(const rd_kafka_message_t& message) override;
  void on_error(rd_kafka_resp_err_t code, const char* reason) override;
  void run(const os::StopToken& stop);
  void start(std::unique_ptr<Append> append);
  void settle(Append* append);
  void answer(std::unique_ptr<Append> append);

  const TopicDirectory& directory_;
  MemoryBudget budget_;
  Mailbox<std::unique_ptr<Append>> arrived_;
  std::unique_ptr<Client> client_;
  std::vector<std::unique_ptr<Append>> under_way_;
  Guarded<log::LogStatus> status_;
  Guarded<std::string> complaint_;
  std::unique_ptr<os::Thread> thread_;
};

}  // namespace penstock::kafka
