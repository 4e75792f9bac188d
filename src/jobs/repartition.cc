#include "jobs/repartition.h"

#include <algorithm>
#include <array>

#include "core/varint.h"
#include "record/internal_headers.h"
#include "record/partitioner.h"
#include "store/window.h"

namespace penstock::jobs {

Bytes encode_progress(const Progress& progress) {
  Bytes bytes(3 * kVarintSizeMax);
  std::byte* end = put_varint(bytes.data(), progress.partition.value());
  end = put_varint(end, progress.next_offset.value());
  end = put_varint(end, progress.stream_time.value());
  bytes.resize(static_cast<std::size_t>(end - bytes.data()));
  return bytes;
}

Result<Progress> decode_progress(ByteView value) {
  std::array<std::int64_t, 3> numbers{};
  const std::byte* at = value.data();
  const std::byte* const end = at + value.size();
  for (std::int64_t& number : numbers) {
    at = get_varint(at, end, number);
    if (at == nullptr) {
      return Error(ErrorCode::kInvalid, "a progress record in the repartition topic is malformed");
    }
  }
  return Progress{PartitionId(static_cast<std::int32_t>(numbers[0])), Offset(numbers[1]),
                  Timestamp(numbers[2])};
}

RepartitionWriter::RepartitionWriter(topology::ProcessorContext& context)
    : context_(context), output_(context.output(kToGroups)) {
  clear();
}

Timestamp RepartitionWriter::now() const {
  return Timestamp(context_.wall_now().time_since_epoch().count());
}

void RepartitionWriter::note(const topology::RecordSpan& records) {
  Timestamp stream_time = records.stream_time;
  for (const Timestamp timestamp : records.timestamps) {
    if (store::is_in_range(timestamp)) {
      stream_time = std::max(stream_time, timestamp);
    }
  }
  progress_ = Progress{records.from.partition, records.offsets.back() + 1, stream_time};
  if (records.ingest_us.has_value()) {
    ingest_us_ = std::min(*records.ingest_us, ingest_us_.value_or(*records.ingest_us));
  }
}

void RepartitionWriter::send(store::KeyView key, ByteView value) {
  key_.clear();
  append_tagged_key(key_, key);
  const PartitionId partition = partition_for_key(key_, output_.partition_count());
  const auto index = static_cast<std::size_t>(partition.value());
  if (!has_ingest_time_[index] && ingest_us_.has_value()) [[unlikely]] {
    has_ingest_time_[index] = true;
    const auto ingest_time = encode_ingest_time(*ingest_us_);
    const HeaderView header{kIngestTimeHeader, ByteView(ingest_time)};
    output_.append_to(partition, now(), key_, value, {&header, 1});
    return;
  }
  output_.append_to(partition, now(), key_, value);
}

void RepartitionWriter::finish() {
  if (!progress_.has_value()) {
    return;
  }
  const Bytes progress = encode_progress(*progress_);
  for (std::int32_t partition = 0; partition < output_.partition_count(); ++partition) {
    output_.append_to(PartitionId(partition), now(), std::nullopt, ByteView(progress));
  }
}

void RepartitionWriter::clear() {
  progress_.reset();
  ingest_us_.reset();
  has_ingest_time_.assign(static_cast<std::size_t>(output_.partition_count()), false);
}

}  // namespace penstock::jobs
