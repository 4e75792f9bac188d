// Any bytes may claim to be a record batch: reading them must not crash, leave their bounds or give
// out records that contradict the batch.
#include "record/record_batch.h"

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/check.h"

namespace penstock {
namespace {

// What was unpacked lies in memory of the reader: there the sanitizer knows the bounds.
bool lies_within(ByteView part, const RecordBatchView& batch) {
  if (batch.compression() != Compression::kNone) {
    volatile std::byte last{};
    for (const std::byte byte : part) {
      last = byte;
    }
    static_cast<void>(last);
    return true;
  }
  const ByteView whole = batch.bytes();
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_record(const RecordView& record, const RecordBatchView& batch) {
  PENSTOCK_CHECK(record.offset >= batch.base_offset() && record.offset <= batch.last_offset());
  PENSTOCK_CHECK(!record.key || lies_within(*record.key, batch));
  PENSTOCK_CHECK(!record.value || lies_within(*record.value, batch));
  HeaderReader headers(record);
  HeaderView header;
  std::uint32_t count = 0;
  while (headers.next(header)) {
    PENSTOCK_CHECK(lies_within(as_bytes(header.key), batch));
    PENSTOCK_CHECK(!header.value || lies_within(*header.value, batch));
    ++count;
  }
  PENSTOCK_CHECK(count == record.header_count);
}

void read(ByteView bytes) {
  const auto batch = RecordBatchView::parse(bytes, RecordBatchView::Verify::kHeaderOnly);
  if (!batch.has_value()) {
    return;
  }
  PENSTOCK_CHECK(batch->size_bytes() <= bytes.size());
  RecordReader reader(*batch);
  RecordView record;
  std::uint32_t count = 0;
  while (reader.next(record)) {
    check_record(record, *batch);
    ++count;
  }
  PENSTOCK_CHECK(count <= batch->record_count());
  PENSTOCK_CHECK(!reader.status().has_value() || count == batch->record_count());
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  penstock::read(std::as_bytes(std::span(data, size)));
  return 0;
}
