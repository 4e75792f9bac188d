// The worked example of docs/formats/record-batch.md, byte for byte.
#include "record/record_batch.h"

#include <array>

#include <gtest/gtest.h>

#include "golden/golden.h"

namespace penstock {
namespace {

TEST(RecordBatchGolden, TheWorkedExampleKeepsItsBytes) {
  std::array<std::byte, 8> ingest_us;
  store_be(ingest_us.data(), std::int64_t{1'714'564'800'250'000});
  const std::array headers{HeaderView{"__penstock.ingest_us", ByteView(ingest_us)}};
  RecordBatchBuilder builder;
  builder.append(Timestamp(1'714'564'800'000), as_bytes("ann"), as_bytes(R"({"n":1})"), headers);
  builder.append(Timestamp(1'714'564'799'000), std::nullopt, as_bytes(R"({"n":2})"));
  RecordBatch batch = builder.finish();
  set_base_offset(batch.bytes, Offset(41));

  golden::expect_golden("record_batch.hex", golden::to_hex(batch.bytes));
}

}  // namespace
}  // namespace penstock
