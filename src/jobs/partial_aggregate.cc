#include "jobs/partial_aggregate.h"

#include <array>
#include <string>

#include "core/varint.h"
#include "store/window.h"

namespace penstock::jobs {

namespace {

Error malformed(const char* what) {
  return {ErrorCode::kInvalid, std::string("a ") + what + " in the repartition topic is malformed"};
}

}  // namespace

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
      return malformed("progress record");
    }
  }
  return Progress{PartitionId(static_cast<std::int32_t>(numbers[0])), Offset(numbers[1]),
                  Timestamp(numbers[2])};
}

void encode_partial(const store::AggregateLayout& layout, Timestamp window_start,
                    const std::uint64_t* cells, Bytes& to) {
  to.resize(kVarintSizeMax + layout.encoded_size_max());
  std::byte* end = put_varint(to.data(), window_start.value());
  end = layout.encode(cells, end);
  to.resize(static_cast<std::size_t>(end - to.data()));
}

Result<Timestamp> decode_partial(const store::AggregateLayout& layout, ByteView value,
                                 std::uint64_t* cells) {
  std::int64_t start = 0;
  const std::byte* const end = value.data() + value.size();
  const std::byte* const at = get_varint(value.data(), end, start);
  if (at == nullptr || start > store::kTimestampAbsMax || start < -store::kTimestampAbsMax * 2) {
    return malformed("partial aggregate");
  }
  PENSTOCK_TRY(layout.decode({at, end}, cells));
  return Timestamp(start);
}

}  // namespace penstock::jobs
