#include "console/event_line.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::console {
namespace {

struct Event {
  std::optional<std::string_view> key = "k";
  std::optional<std::string_view> value = "{}";
  std::vector<HeaderView> headers;
};

std::optional<ByteView> view(const std::optional<std::string_view>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

std::string line_of(const Event& event, ValueForm form = ValueForm::kPlain) {
  RecordBatchBuilder builder;
  builder.append(Timestamp(1'431'857'103'007), view(event.key), view(event.value), event.headers);
  const RecordBatch batch = builder.finish();
  const auto parsed = RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kChecksum);
  EXPECT_TRUE(parsed);
  RecordReader reader(*parsed);
  RecordView record;
  EXPECT_TRUE(reader.next(record));

  std::string out;
  EventLineWriter().append(out, PartitionId(3), record, form);
  return out;
}

std::string with_value(const std::string& value) {
  return R"({"partition":3,"offset":0,"timestamp":"2015-05-17T10:05:03.007Z","key":"k",)"
         R"("headers":{},"value":)" +
         value + "}\n";
}

TEST(EventLine, CopiesJsonByteForByte) {
  const std::string_view value = R"({"a" : 1.50e+2,	"b":"\u00e9\n", "a":[]  })";

  EXPECT_EQ(line_of({.value = value}), with_value(std::string(value)));
}

TEST(EventLine, PutsJsonOfSeveralLinesOnOne) {
  EXPECT_EQ(line_of({.value = "{\n  \"a\": 1\r\n}"}), with_value("{   \"a\": 1  }"));
}

TEST(EventLine, ShowsTextThatIsNotJsonAsAString) {
  EXPECT_EQ(line_of({.value = "{\"a\":\n"}), with_value(R"("{\"a\":\n")"));
  EXPECT_EQ(line_of({.value = ""}), with_value(R"("")"));
  EXPECT_EQ(line_of({.value = "{} {}"}), with_value(R"("{} {}")"));
}

TEST(EventLine, ShowsEveryValueAsBase64WhereThatIsAskedFor) {
  EXPECT_EQ(line_of({.value = "{}\n"}, ValueForm::kBase64), with_value(R"({"base64":"e30K"})"));
}

TEST(EventLine, ShowsBytesThatAreNotTextAsBase64) {
  EXPECT_EQ(line_of({.value = "\xff\xfe"}), with_value(R"({"base64":"//4="})"));
  EXPECT_EQ(line_of({.value = "{\"a\":\"\xff\"}"}), with_value(R"({"base64":"eyJhIjoi/yJ9"})"));
}

TEST(EventLine, ShowsWhatIsAbsentAsNull) {
  const std::string line = line_of({.key = std::nullopt, .value = std::nullopt});

  EXPECT_NE(line.find(R"("key":null,)"), std::string::npos);
  EXPECT_NE(line.find(R"("value":null})"), std::string::npos);
}

TEST(EventLine, ShowsKeysLikeText) {
  EXPECT_NE(line_of({.key = "a\"b"}).find(R"("key":"a\"b",)"), std::string::npos);
  EXPECT_NE(line_of({.key = "\x80"}).find(R"("key":{"base64":"gA=="},)"), std::string::npos);
}

TEST(EventLine, ShowsHeadersButNotOurOwn) {
  const std::string line = line_of({.headers = {{"__penstock.ingest_us", as_bytes("12345678")},
                                                {"penstock.dlq.code", as_bytes("invalid_json")},
                                                {"binary", as_bytes("\xff")},
                                                {"none", std::nullopt}}});

  EXPECT_NE(line.find(R"("headers":{"penstock.dlq.code":"invalid_json","binary":{"base64":"/w=="},)"
                      R"("none":null},)"),
            std::string::npos)
      << line;
}

TEST(EventLine, ShowsAllValuesOfARepeatedHeader) {
  const std::string line = line_of(
      {.headers = {{"trace", as_bytes("1")}, {"other", as_bytes("x")}, {"trace", as_bytes("2")}}});

  EXPECT_NE(line.find(R"("headers":{"trace":["1","2"],"other":"x"},)"), std::string::npos) << line;
}

}  // namespace
}  // namespace penstock::console
