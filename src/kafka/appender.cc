#include "kafka/appender.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "kafka/client_settings.h"
#include "kafka/error_map.h"
#include "kafka/message_producer.h"

namespace penstock::kafka {
namespace {

constexpr std::chrono::milliseconds kWait{100};

}  // namespace

Result<std::unique_ptr<Appender>> Appender::open(const Options& options,
                                                 const TopicDirectory& directory,
                                                 const Client::Shared& shared) {
  PENSTOCK_TRY_ASSIGN(ConfHandle conf, make_conf(options, ClientKind::kAppender, {}));
  std::unique_ptr<Appender> appender(new Appender(options, directory));
  PENSTOCK_TRY_ASSIGN(appender->client_,
                      Client::open(ClientKind::kAppender, std::move(conf), *appender, shared));
  const QueueHandle queue(rd_kafka_queue_get_main(appender->client_->get()));
  rd_kafka_queue_cb_event_enable(
      queue.get(),
      [](rd_kafka_t* /*client*/, void* self) { static_cast<Appender*>(self)->arrived_.wake(); },
      appender.get());
  appender->thread_ = std::make_unique<os::Thread>(
      "kafka-append", [self = appender.get()](const os::StopToken& stop) { self->run(stop); });
  return appender;
}

Appender::~Appender() {
  arrived_.close();
  if (thread_ != nullptr) {
    thread_->request_stop();
    arrived_.wake();
    thread_.reset();
  }
  if (client_ != nullptr) {
    const QueueHandle queue(rd_kafka_queue_get_main(client_->get()));
    rd_kafka_queue_cb_event_enable(queue.get(), nullptr, nullptr);
  }
  std::vector<std::unique_ptr<Append>> left = std::move(under_way_);
  arrived_.receive(left);
  for (auto& append : left) {
    append->outcome = Error(ErrorCode::kRetry, "the log was closed before the append was answered");
    answer(std::move(append));
  }
}

Status Appender::append(std::vector<log::PartitionBatch> batches, log::AppendDone done) {
  auto append = std::make_unique<Append>();
  for (const log::PartitionBatch& batch : batches) {
    PENSTOCK_TRY_ASSIGN(std::string topic, directory_.check(batch.to));
    const auto view =
        RecordBatchView::parse(batch.batch.bytes, RecordBatchView::Verify::kHeaderOnly);
    if (!view) {
      return Error(ErrorCode::kInvalid, view.error().message());
    }
    append->left += view->record_count();
    append->size += batch.batch.bytes.size();
    append->topics.push_back(std::move(topic));
  }
  append->batches = std::move(batches);
  append->done = std::move(done);
  const std::size_t size = append->size;
  if (!budget_.try_take(size)) {
    return Error(ErrorCode::kBusy, "too much is on its way to the Kafka brokers; try again");
  }
  if (!arrived_.try_send(std::move(append))) {
    budget_.give_back(size);
    return Error(ErrorCode::kBusy, "too many appends are on their way to the Kafka brokers");
  }
  return {};
}

void Appender::run(const os::StopToken& stop) {
  std::vector<std::unique_ptr<Append>> arrived;
  while (!stop.requested()) {
    arrived_.wait(kWait);
    arrived.clear();
    arrived_.receive(arrived);
    for (auto& append : arrived) {
      start(std::move(append));
    }
    rd_kafka_poll(client_->get(), 0);
  }
}

void Appender::start(std::unique_ptr<Append> owned) {
  Append& append = *owned;
  const std::size_t count = append.batches.size();
  append.bases.assign(count, Offset(-1));
  for (std::size_t i = 0; i < count; ++i) {
    append.slots.push_back({&append, i});
  }
  under_way_.push_back(std::move(owned));
  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const log::PartitionBatch& batch = append.batches[i];
    const auto record_count =
        RecordBatchView::parse(batch.batch.bytes, RecordBatchView::Verify::kHeaderOnly)
            ->record_count();
    const Produced produced =
        append.outcome ? produce_batch(client_->get(), client_->topic(append.topics[i]),
                                       batch.to.partition, batch.batch.bytes, &append.slots[i])
                       : Produced();
    missing += record_count - produced.count;
    if (!produced.status) {
      append.outcome = produced.status;
    }
  }
  append.left -= missing;
  settle(&append);
}

void Appender::on_delivery(const rd_kafka_message_t& message) {
  const Slot& slot = *static_cast<const Slot*>(message._private);
  Append& append = *slot.append;
  PENSTOCK_CHECK(append.left > 0);
  --append.left;
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (append.outcome) {
      append.outcome = to_error(
          message.err, "append to topic \"" + std::string(rd_kafka_topic_name(message.rkt)) + "\"");
    }
  } else if (message.offset >= 0 && append.bases[slot.batch].value() < 0) {
    append.bases[slot.batch] = Offset(message.offset);
  }
  settle(&append);
}

void Appender::settle(Append* append) {
  if (append->left > 0) {
    return;
  }
  const auto found =
      std::ranges::find_if(under_way_, [&](const auto& at) { return at.get() == append; });
  PENSTOCK_CHECK(found != under_way_.end());
  std::unique_ptr<Append> owned = std::move(*found);
  under_way_.erase(found);
  if (const Status alive = client_->check_alive(); !alive) {
    status_.with([&](log::LogStatus& status) { status = {false, alive.error().message()}; });
  }
  answer(std::move(owned));
}

void Appender::answer(std::unique_ptr<Append> append) {
  budget_.give_back(append->size);
  if (!append->outcome) {
    append->done(append->outcome.error());
    return;
  }
  for (std::size_t i = 0; i < append->batches.size(); ++i) {
    // A broker that had stored a batch already, before its answer was lost, does not say where.
    if (append->bases[i].value() >= 0) {
      set_base_offset(append->batches[i].batch.bytes, append->bases[i]);
    }
  }
  append->done(log::AppendResult{std::move(append->batches)});
}

void Appender::on_error(rd_kafka_resp_err_t code, const char* reason) {
  complaint_.with([&](std::string& complaint) {
    complaint = std::string(reason) + " (" + rd_kafka_err2name(code) + ")";
  });
}

std::string Appender::last_complaint() const {
  return complaint_.with([](const std::string& complaint) { return complaint; });
}

log::LogStatus Appender::status() const {
  return status_.with([](const log::LogStatus& status) { return status; });
}

}  // namespace penstock::kafka
