#include "sinks/archive/parquet_writer.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/internal_headers.h"
#include "sinks/archive/parquet_rows.h"
#include "testing/sim_file_system.h"

namespace penstock::sinks {
namespace {

using penstock::testing::DiskFault;
using penstock::testing::DiskOp;
using penstock::testing::SimFileSystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<HeaderView> views(const std::map<std::string, std::optional<std::string>>& headers) {
  std::vector<HeaderView> result;
  for (const auto& [key, value] : headers) {
    result.push_back({key, value ? std::optional(as_bytes(*value)) : std::nullopt});
  }
  return result;
}

std::optional<ByteView> view(const std::optional<std::string>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

class ParquetWriterTest : public ::testing::Test {
 protected:
  // Writes the rows as one log batch each of `batch_rows`, and finishes the file.
  Status write(const std::vector<ParquetRow>& rows, ParquetWriter::Options options = {},
               std::size_t batch_rows = 7) {
    PENSTOCK_TRY_ASSIGN(const auto output, SequentialOutput::create(disk_, "/file"));
    ParquetWriter writer(*output, options);
    for (std::size_t begin = 0; begin < rows.size(); begin += batch_rows) {
      const std::size_t end = std::min(rows.size(), begin + batch_rows);
      PENSTOCK_TRY(add_batch(writer, {rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                      rows.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
    EXPECT_EQ(writer.row_count(), rows.size());
    PENSTOCK_TRY(writer.finish());
    return output->finish();
  }

  static Status add_batch(ParquetWriter& writer, const std::vector<ParquetRow>& rows) {
    RecordBatchBuilder builder;
    for (const ParquetRow& row : rows) {
      builder.append(Timestamp(row.timestamp_ms), view(row.key), view(row.value),
                     views(row.headers));
    }
    RecordBatch bytes = builder.finish();
    set_base_offset(bytes.bytes, Offset(rows.front().offset));
    const auto batch = RecordBatchView::parse(bytes.bytes, RecordBatchView::Verify::kChecksum);
    RecordReader reader(*batch);
    RecordView record;
    for (const ParquetRow& row : rows) {
      EXPECT_TRUE(reader.next(record));
      PENSTOCK_TRY(writer.add(record, row.ingest_us));
    }
    return writer.write();
  }

  ParquetContents read() {
    const auto contents = read_parquet(*os::read_file(disk_, "/file"));
    EXPECT_TRUE(contents.has_value());
    return contents.value_or(ParquetContents{});
  }

  SimFileSystem disk_;
};

std::vector<ParquetRow> simple_rows(std::size_t count) {
  std::vector<ParquetRow> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = static_cast<std::int64_t>(i);
    rows.push_back({.partition = 0,
                    .offset = number,
                    .timestamp_ms = 1000 + number % 7,
                    .key = "k" + std::to_string(i % 5),
                    .value = "{\"n\":" + std::to_string(i) + "}",
                    .headers = {},
                    .ingest_us = 5'000'000 + number});
  }
  return rows;
}

TEST_F(ParquetWriterTest, RowsComeBackAsTheyWere) {
  std::vector<ParquetRow> rows = simple_rows(20);
  rows[0].key = std::nullopt;
  rows[1].key = "";
  rows[2].value = std::nullopt;
  rows[3].value = "";
  rows[4].headers = {{"a", "1"}, {"b", std::nullopt}, {"c", ""}};
  rows[5].value = "grüße \xf0\x9f\x9a\x80";
  rows[6].timestamp_ms = -5;
  rows[7].headers = {{"only", "one"}};
  rows[19].headers = {{"last", "row"}};

  ASSERT_TRUE(write(rows).has_value());

  EXPECT_EQ(read().rows, rows);
}

TEST_F(ParquetWriterTest, ColumnsHaveTheTypesOfTheDocument) {
  ASSERT_TRUE(write(simple_rows(3)).has_value());

  EXPECT_EQ(read().schema->ToString(),
            "partition: int32 not null\n"
            "offset: int64 not null\n"
            "timestamp: timestamp[ms, tz=UTC] not null\n"
            "key: string\n"
            "value: string\n"
            "headers: map<string, string ('headers')> not null\n"
            "ingest_time: timestamp[us, tz=UTC] not null\n"
            "value_bytes: binary");
  EXPECT_EQ(read().created_by, "penstock");
}

TEST_F(ParquetWriterTest, ValuesThatAreNoTextGoIntoAColumnOfBytes) {
  std::vector<ParquetRow> rows = simple_rows(3);
  const std::string bytes("\x00\xc3(", 3);
  rows[0].value = bytes;
  rows[1].value = std::nullopt;

  ASSERT_TRUE(write(rows).has_value());

  rows[0].value = std::nullopt;
  rows[0].value_bytes = bytes;
  EXPECT_EQ(read().rows, rows);
}

TEST_F(ParquetWriterTest, TextColumnsRefuseWhatIsNoText) {
  const auto error_of = [&](auto spoil) {
    std::vector<ParquetRow> rows = simple_rows(3);
    spoil(rows[2]);
    const Status written = write(rows);
    EXPECT_FALSE(written.has_value());
    return written.has_value() ? "" : written.error().to_string();
  };

  EXPECT_EQ(error_of([](ParquetRow& row) { row.key = "long enough \xc3("; }),
            "invalid: the key at offset 2 is not UTF-8 text");
  EXPECT_THAT(error_of([](ParquetRow& row) {
                row.headers = {{"h", "\xff"}};
              }),
              HasSubstr("the header at offset"));
  EXPECT_THAT(error_of([](ParquetRow& row) {
                row.headers = {{"\xff", "v"}};
              }),
              HasSubstr("the header name at offset"));
}

TEST_F(ParquetWriterTest, InternalHeadersAreNotShown) {
  std::vector<ParquetRow> rows = simple_rows(2);
  rows[0].headers = {{"__penstock.ingest_us", "12345678"}, {"shown", "yes"}};
  rows[1].headers = {{"__penstock.other", "x"}};

  ASSERT_TRUE(write(rows).has_value());

  rows[0].headers = {{"shown", "yes"}};
  rows[1].headers = {};
  EXPECT_EQ(read().rows, rows);
}

TEST_F(ParquetWriterTest, RowGroupsAreFullButTheLast) {
  const std::vector<ParquetRow> rows = simple_rows(25);

  ASSERT_TRUE(write(rows, {.group_rows_max = 10}).has_value());

  EXPECT_THAT(read().group_rows, ElementsAre(10, 10, 5));
  EXPECT_EQ(read().rows, rows);
}

TEST_F(ParquetWriterTest, RowGroupsAreBoundedInSizeToo) {
  std::vector<ParquetRow> rows = simple_rows(10);
  for (ParquetRow& row : rows) {
    row.value = std::string(1000, 'x');
  }

  ASSERT_TRUE(write(rows, {.group_size_max = 3000}).has_value());

  EXPECT_THAT(read().group_rows, ElementsAre(3, 3, 3, 1));
  EXPECT_EQ(read().rows, rows);
}

TEST_F(ParquetWriterTest, AFileWithoutRowsIsSound) {
  ASSERT_TRUE(write({}).has_value());

  EXPECT_TRUE(read().rows.empty());
}

TEST_F(ParquetWriterTest, ErrorsOfTheDiskKeepTheirCode) {
  disk_.inject({.op = DiskOp::kWrite, .kind = DiskFault::Kind::kNoSpace});
  EXPECT_EQ(write(simple_rows(100)).error().code(), ErrorCode::kBusy);

  // Enough that pages go out while rows are still added.
  std::vector<ParquetRow> rows = simple_rows(3000);
  std::uint64_t noise = 1;
  for (ParquetRow& row : rows) {
    for (int i = 0; i < 100; ++i) {
      noise = noise * 6364136223846793005U + 1442695040888963407U;
      *row.value += std::to_string(noise);
    }
  }
  disk_.inject({.op = DiskOp::kWrite});
  const Status failed = write(rows, {.group_rows_max = 1000});
  EXPECT_EQ(failed.error().code(), ErrorCode::kFatal);
  EXPECT_THAT(failed.error().message(), HasSubstr("/file: Input/output error"));
}

TEST_F(ParquetWriterTest, AFileSystemWithoutDirectWritesWillDo) {
  SimFileSystem plain({.refuses_direct = true});
  const auto output = SequentialOutput::create(plain, "/file");
  ASSERT_TRUE(output.has_value());

  ASSERT_TRUE((*output)->write(as_bytes("some bytes")).has_value());
  ASSERT_TRUE((*output)->finish().has_value());

  EXPECT_EQ(as_text(*os::read_file(plain, "/file")), "some bytes");
}

TEST(SequentialOutput, WritesAnyPiecesInOrder) {
  SimFileSystem disk;
  std::string all;
  {
    const auto output = SequentialOutput::create(disk, "/file");
    for (std::size_t i = 0; i < 300; ++i) {
      const std::string piece(i * 37, static_cast<char>('a' + i % 26));
      ASSERT_TRUE((*output)->write(as_bytes(piece)).has_value());
      all += piece;
      ASSERT_EQ((*output)->size(), all.size());
    }
    ASSERT_TRUE((*output)->finish().has_value());
    ASSERT_EQ((*output)->size(), all.size());
  }
  ASSERT_GT(all.size(), std::size_t{1} << 20);

  EXPECT_TRUE(as_text(*os::read_file(disk, "/file")) == all);
}

TEST(SequentialOutput, EmptiesAFileThatIsThere) {
  SimFileSystem disk;
  ASSERT_TRUE(os::write_file_atomically(disk, "/file", as_bytes("left over")).has_value());

  const auto output = SequentialOutput::create(disk, "/file");
  ASSERT_TRUE((*output)->finish().has_value());

  EXPECT_EQ(as_text(*os::read_file(disk, "/file")), "");
}

}  // namespace
}  // namespace penstock::sinks
