#include "record/dead_letter_view.h"

#include <vector>

#include <gtest/gtest.h>

#include "record/dead_letter.h"

namespace penstock {
namespace {

class DeadLetterViewTest : public ::testing::Test {
 protected:
  DeadLetterView read(const std::vector<HeaderView>& headers) {
    RecordBatchBuilder builder;
    builder.append(Timestamp(7), std::nullopt, as_bytes("{}"), headers);
    batch_ = builder.finish();
    const auto view = RecordBatchView::parse(ByteView(batch_.bytes.data(), batch_.bytes.size()),
                                             RecordBatchView::Verify::kChecksum);
    EXPECT_TRUE(view);
    RecordReader reader(*view);
    EXPECT_TRUE(reader.next(record_));
    return read_dead_letter(record_);
  }

  RecordBatch batch_;
  RecordView record_;
};

TEST_F(DeadLetterViewTest, HasWhatItsHeadersSay) {
  const DeadLetterView letter = read({{dead_letter::kCode, as_bytes("too_deep")},
                                      {dead_letter::kMessage, as_bytes("why")},
                                      {dead_letter::kTime, as_bytes("1970-01-01T00:00:01.000Z")},
                                      {dead_letter::kSource, as_bytes("192.0.2.7")},
                                      {dead_letter::kTopic, as_bytes("web")},
                                      {dead_letter::kSink, as_bytes("db")},
                                      {dead_letter::kReplays, as_bytes("4")},
                                      {"other", as_bytes("x")}});

  EXPECT_EQ(letter.code, "too_deep");
  EXPECT_EQ(letter.message, "why");
  EXPECT_EQ(letter.time, Timestamp(1000));
  EXPECT_EQ(letter.source, "192.0.2.7");
  EXPECT_EQ(letter.topic, "web");
  EXPECT_EQ(letter.sink, "db");
  EXPECT_EQ(letter.replays, 4U);
  EXPECT_EQ(as_text(letter.event), "{}");
  EXPECT_EQ(replays_of(record_), 4U);
}

TEST_F(DeadLetterViewTest, HasTheRecordsTimeWhereNoneIsSaid) {
  EXPECT_EQ(read({}).time, Timestamp(7));
  EXPECT_EQ(replays_of(record_), 0U);
}

TEST(DeadLetterFilter, ChoosesByAllThatIsGiven) {
  using Quarantine = DeadLetterFilter::Quarantine;
  const DeadLetterView letter{
      .time = Timestamp(10), .code = "too_deep", .sink = "db", .replays = 3};

  EXPECT_TRUE(DeadLetterFilter().matches(letter));
  EXPECT_TRUE((DeadLetterFilter{.code = "too_deep", .sink = "db"}.matches(letter)));
  EXPECT_FALSE((DeadLetterFilter{.code = "other"}.matches(letter)));
  EXPECT_FALSE((DeadLetterFilter{.sink = "other"}.matches(letter)));
  EXPECT_TRUE((DeadLetterFilter{.since = Timestamp(10), .until = Timestamp(11)}.matches(letter)));
  EXPECT_FALSE((DeadLetterFilter{.since = Timestamp(11)}.matches(letter)));
  EXPECT_FALSE((DeadLetterFilter{.until = Timestamp(10)}.matches(letter)));
  EXPECT_TRUE((DeadLetterFilter{.quarantine = Quarantine::kInside}.matches(letter)));
  EXPECT_FALSE((DeadLetterFilter{.quarantine = Quarantine::kOutside}.matches(letter)));
  EXPECT_TRUE(
      (DeadLetterFilter{.quarantine = Quarantine::kOutside, .replays_max = 4}.matches(letter)));
}

}  // namespace
}  // namespace penstock
