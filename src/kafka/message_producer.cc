#include "kafka/message_producer.h"

#include <array>
#include <string>

#include "kafka/error_map.h"

namespace penstock::kafka {
namespace {

// librdkafka's parameters are not const, but it only reads what it is to copy. An empty value must
// still have an address: null would be a tombstone.
void* address_of(const std::optional<ByteView>& bytes) {
  static std::byte empty{};
  if (!bytes.has_value()) {
    return nullptr;
  }
  return bytes->empty() ? &empty : const_cast<std::byte*>(bytes->data());
}

rd_kafka_vu_t bytes_value(rd_kafka_vtype_t type, const std::optional<ByteView>& bytes) {
  rd_kafka_vu_t value{};
  value.vtype = type;
  value.u.mem.ptr = address_of(bytes);
  value.u.mem.size = bytes.has_value() ? bytes->size() : 0;
  return value;
}

rd_kafka_headers_t* headers_of(const RecordView& record) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(record.header_count);
  HeaderReader reader(record);
  for (HeaderView header; reader.next(header);) {
    (void)rd_kafka_header_add(
        headers, header.key.data(), static_cast<ssize_t>(header.key.size()),
        address_of(header.value),
        header.value.has_value() ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return headers;
}

// The fields that all messages of a batch share come first and are filled once.
class Fields {
 public:
  Fields(rd_kafka_topic_t* topic, PartitionId partition, void* tag) {
    fields_[0].vtype = RD_KAFKA_VTYPE_RKT;
    fields_[0].u.rkt = topic;
    fields_[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    fields_[1].u.i32 = partition.value();
    fields_[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields_[2].u.i = RD_KAFKA_MSG_F_COPY;
    fields_[3].vtype = RD_KAFKA_VTYPE_OPAQUE;
    fields_[3].u.ptr = tag;
    fields_[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  }

  [[nodiscard]] ErrorHandle produce(rd_kafka_t* client, const RecordView& record) {
    // 0 means "now" to librdkafka: the first millisecond of 1970 becomes the second one.
    fields_[4].u.i64 = record.timestamp.value() == 0 ? 1 : record.timestamp.value();
    fields_[5] = bytes_value(RD_KAFKA_VTYPE_VALUE, record.value);
    fields_[6] = bytes_value(RD_KAFKA_VTYPE_KEY, record.key);
    std::size_t count = 7;
    if (record.header_count > 0) {
      fields_[7].vtype = RD_KAFKA_VTYPE_HEADERS;
      fields_[7].u.headers = headers_of(record);
      count = 8;
    }
    ErrorHandle error(rd_kafka_produceva(client, fields_.data(), count));
    if (error != nullptr && count == 8) {
      rd_kafka_headers_destroy(fields_[7].u.headers);  // ours again
    }
    return error;
  }

 private:
  std::array<rd_kafka_vu_t, 8> fields_{};
};

}  // namespace

Produced produce_batch(rd_kafka_t* client, rd_kafka_topic_t* topic, PartitionId partition,
                       ByteView batch, void* tag) {
  Produced produced;
  const auto view = RecordBatchView::parse(batch, RecordBatchView::Verify::kHeaderOnly);
  if (!view) {
    produced.status = Error(ErrorCode::kInvalid, view.error().message());
    return produced;
  }
  Fields fields(topic, partition, tag);
  RecordReader reader(*view);
  for (RecordView record; reader.next(record);) {
    const ErrorHandle error = fields.produce(client, record);
    if (error != nullptr) {
      produced.status = to_error(
          *error, "producing to topic \"" + std::string(rd_kafka_topic_name(topic)) + "\"");
      return produced;
    }
    ++produced.count;
  }
  if (!reader.status()) {
    produced.status = Error(ErrorCode::kInvalid, reader.status().error().message());
  }
  return produced;
}

}  // namespace penstock::kafka
