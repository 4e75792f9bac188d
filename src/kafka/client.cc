#include "kafka/client.h"

#include <array>
#include <chrono>
#include <string_view>

#include "core/check.h"
#include "kafka/error_map.h"

namespace penstock::kafka {
namespace {

constexpr std::int16_t kEndTxnRequest = 26;  // Kafka protocol
// Of syslog's levels. A broken connection is an "error" to librdkafka, but it mends it itself.
constexpr int kSyslogCritical = 2;
constexpr int kSyslogWarning = 4;

}  // namespace

rd_kafka_resp_err_t Client::on_new(rd_kafka_t* client, const rd_kafka_conf_t* /*conf*/, void* self,
                                   char* /*reason*/, std::size_t /*reason_size*/) {
  return rd_kafka_interceptor_add_on_response_received(
      client, "penstock",
      [](rd_kafka_t* /*client*/, int /*socket*/, const char* /*broker*/, std::int32_t /*broker_id*/,
         std::int16_t request, std::int16_t /*version*/, std::int32_t /*correlation*/,
         std::size_t /*size*/, std::int64_t round_trip_us, rd_kafka_resp_err_t error,
         void* opaque) -> rd_kafka_resp_err_t {
        static_cast<Client*>(opaque)->on_response(request, round_trip_us, error);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
      },
      self);
}

void Client::on_response(std::int16_t request, std::int64_t round_trip_us,
                         rd_kafka_resp_err_t error) {
  const bool was_answered = error == RD_KAFKA_RESP_ERR_NO_ERROR;
  requests_.add(was_answered, std::chrono::microseconds(round_trip_us));
  if (request == kEndTxnRequest && !was_answered) {
    lost_ends_.add(1);
    metrics_.end_was_lost();
  }
}

void Client::set_callbacks(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  rd_kafka_conf_set_opaque(conf, this);
  const auto added = rd_kafka_conf_interceptor_add_on_new(conf, "penstock", &on_new, this);
  PENSTOCK_CHECK(added == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_conf_set_log_cb(
      conf, [](const rd_kafka_t* client, int level, const char* facility, const char* text) {
        // Null while the client is still being made.
        auto* self = client == nullptr ? nullptr : static_cast<Client*>(rd_kafka_opaque(client));
        if (self != nullptr) {
          self->log(level, facility, rd_kafka_name(client), text);
        }
      });
  rd_kafka_conf_set_error_cb(conf, [](rd_kafka_t* /*client*/, int code, const char* reason,
                                      void* self) {
    static_cast<Client*>(self)->listener_.on_error(static_cast<rd_kafka_resp_err_t>(code), reason);
  });
  if (type == RD_KAFKA_PRODUCER) {
    rd_kafka_conf_set_dr_msg_cb(
        conf, [](rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* self) {
          static_cast<Client*>(self)->listener_.on_delivery(*message);
        });
  } else {
    rd_kafka_conf_set_rebalance_cb(
        conf, [](rd_kafka_t* /*client*/, rd_kafka_resp_err_t kind,
                 rd_kafka_topic_partition_list_t* partitions, void* self) {
          static_cast<Client*>(self)->listener_.on_rebalance(kind, *partitions);
        });
  }
}

Result<std::unique_ptr<Client>> Client::open(ClientKind kind, ConfHandle conf, Listener& listener,
                                             const Shared& shared) {
  const bool produces = kind == ClientKind::kAppender || kind == ClientKind::kTransactional;
  const rd_kafka_type_t type = produces ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  std::unique_ptr<Client> client(new Client(kind, listener, shared));
  client->set_callbacks(type, conf.get());
  std::array<char, 512> reason{};
  rd_kafka_conf_t* const given = conf.release();
  client->handle_.reset(rd_kafka_new(type, given, reason.data(), reason.size()));
  if (client->handle_ == nullptr) {
    rd_kafka_conf_destroy(given);  // still ours
    return Error(ErrorCode::kInvalid, std::string("kafka client: ") + reason.data());
  }
  if (type == RD_KAFKA_CONSUMER) {
    rd_kafka_poll_set_consumer(client->get());
  }
  return client;
}

Client::~Client() {
  topics_.clear();
}

rd_kafka_topic_t* Client::topic(const std::string& name) {
  TopicHandle& handle = topics_[name];
  if (handle == nullptr) {
    handle.reset(rd_kafka_topic_new(get(), name.c_str(), nullptr));
    PENSTOCK_CHECK(handle != nullptr);
  }
  return handle.get();
}

Status Client::check_alive() const {
  std::array<char, 512> reason{};
  const rd_kafka_resp_err_t code = rd_kafka_fatal_error(get(), reason.data(), reason.size());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  const ErrorCode reaction =
      reaction_to(code) == ErrorCode::kFenced ? ErrorCode::kFenced : ErrorCode::kFatal;
  return Error(reaction, std::string(reason.data()) + " (" + rd_kafka_err2name(code) + ")");
}

void Client::log(int level, const char* facility, const char* name, const char* text) {
  const std::string_view from = facility;
  if (from == "CONFWARN") {
    return;  // settings for producers are given to consumers too, and the other way round
  }
  const telemetry::LogLevel severity = level <= kSyslogCritical  ? telemetry::LogLevel::kError
                                       : level <= kSyslogWarning ? telemetry::LogLevel::kWarn
                                                                 : telemetry::LogLevel::kDebug;
  logger_.log(severity, "kafka", from,
              {{"client", std::string_view(name)}, {"text", std::string_view(text)}});
}

}  // namespace penstock::kafka
