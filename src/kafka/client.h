// Client is one librdkafka instance, with what its callbacks need.
//
// librdkafka calls back in two ways: what it has to tell an application (deliveries, rebalances,
// errors) comes only while the owner polls, and goes to Listener. Log lines and answers of brokers
// come on its own threads, and are handed over: to the Logger, to Counters.
//
// Threads   open() and the destructor from the owner; topic() from one thread at a time; the rest
//           as librdkafka: from any.
// Lifetime  listener, metrics and logger outlive it.
// Errors    kInvalid  the configuration cannot be right
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/counter.h"
#include "core/result.h"
#include "kafka/client_settings.h"
#include "kafka/handles.h"
#include "kafka/metrics.h"
#include "telemetry/logger.h"

namespace penstock::kafka {

class Client {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;

    virtual void on_delivery(const rd_kafka_message_t& /*message*/) {}

    virtual void on_rebalance(rd_kafka_resp_err_t /*kind*/,
                              const rd_kafka_topic_partition_list_t& /*partitions*/) {}

    // What went wrong in passing: a connection broke, a broker refused the credentials.
    virtual void on_error(rd_kafka_resp_err_t /*code*/, const char* /*reason*/) {}
  };

  // What the clients of a log share.
  struct Shared {
    Metrics& metrics;
    telemetry::Logger& logger;
  };

  // `conf` as make_conf() gives it for this kind.
  [[nodiscard]] static Result<std::unique_ptr<Client>> open(ClientKind kind, ConfHandle conf,
                                                            Listener& listener,
                                                            const Shared& shared);
  ~Client();

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] rd_kafka_t* get() const { return handle_.get(); }

  // The handle for producing to this topic.
  [[nodiscard]] rd_kafka_topic_t* topic(const std::string& name);

  void forget_topic(const std::string& name) { topics_.erase(name); }

  // Requests to end a transaction whose answer never came. librdkafka repeats them, and the first
  // may still arrive, and then end the transaction after (librdkafka #5423).
  [[nodiscard]] std::uint64_t lost_end_count() const { return lost_ends_.get(); }

  // The error that makes this client useless for good, if there is one.
  [[nodiscard]] Status check_alive() const;

 private:
  Client(ClientKind kind, Listener& listener, const Shared& shared)
      : listener_(listener),
        logger_(shared.logger),
        metrics_(shared.metrics),
        requests_(shared.metrics.of(kind)) {}

  void set_callbacks(rd_kafka_type_t type, rd_kafka_conf_t* conf);
  static rd_kafka_resp_err_t on_new(rd_kafka_t* client, const rd_kafka_conf_t* conf, void* self,
                                    char* reason, std::size_t reason_size);
  void on_response(std::int16_t request, std::int64_t round_trip_us, rd_kafka_resp_err_t error);
  void log(int level, const char* facility, const char* name, const char* text);

  Listener& listener_;
  telemetry::Logger& logger_;
  Metrics& metrics_;
  RequestMetrics& requests_;
  Counter lost_ends_;
  ClientHandle handle_;
  std::map<std::string, TopicHandle> topics_;
};

}  // namespace penstock::kafka
