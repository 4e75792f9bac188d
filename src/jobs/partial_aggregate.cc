#include "jobs/partial_aggregate.h"

#include "core/varint.h"
#include "store/window.h"

namespace penstock::jobs {

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
  if (at == nullptr || !store::is_in_range(Timestamp(start))) {
    return Error(ErrorCode::kInvalid, "a partial aggregate in the repartition topic is malformed");
  }
  PENSTOCK_TRY(layout.decode({at, end}, cells));
  return Timestamp(start);
}

}  // namespace penstock::jobs
