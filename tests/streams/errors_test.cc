// Records that cannot be read, processed or written: what the handlers make of them.
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "streams/world.h"

namespace penstock::dsl {
namespace {

using Text = std::string;
using Number = std::int64_t;

Result<Number> number_in(const Text& text) {
  if (text.empty() || text.find_first_not_of("0123456789") != Text::npos) {
    return Error(ErrorCode::kInvalid, "\"" + text + "\" is no number");
  }
  return Number{std::stoi(text)};
}

StreamBuilder::Options with(ErrorHandlers errors) {
  return {.application_id = "app", .errors = std::move(errors)};
}

// Numbers as text in, numbers out.
StreamBuilder numbers(ErrorHandlers errors) {
  StreamBuilder builder(with(std::move(errors)));
  builder.stream<Text, Text>("in").map_values(number_in, {"parse"}).to("out");
  return builder;
}

std::map<std::string, std::string> errors_of(const engine::DrivenRecord& record) {
  std::map<std::string, std::string> headers;
  for (const engine::DrivenHeader& header : record.headers) {
    headers[header.key] = header.value.value_or("null");
  }
  return headers;
}

TEST(Errors, StopTheTopologyByDefaultAndSayWhere) {
  World world(numbers({}));
  auto in = world.driver.create_input_topic<Text, Text>("in");
  in.pipe_input("a", "1", Timestamp(10));

  const Status sent = in.send({"a", "one", Timestamp(20), {}});

  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), ErrorCode::kInvalid);
  const std::string& message = sent.error().message();
  EXPECT_NE(message.find("step parse, task 0_0, topic \"in\", partition 0, offset 1: "
                         "\"one\" is no number"),
            std::string::npos)
      << message;
}

TEST(Errors, ContinueDropsTheRecordAndCountsIt) {
  World world(numbers({.processing = ErrorResponse::kContinue}));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  in.pipe_input("a", "one", Timestamp(10));
  in.pipe_input("a", "2", Timestamp(20));

  EXPECT_EQ(world.read<Number>("out"), (Pairs<Number>{{"a", 2}}));
  EXPECT_EQ(world.driver.counts().dropped, 1U);
}

TEST(Errors, DeadLettersAreTheRecordAsItWasReadWithTheReason) {
  World world(
      numbers({.processing = ErrorResponse::kDeadLetter, .dead_letter_topic = "dead-letters"}));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  in.pipe_input("a", "1", Timestamp(10));
  in.pipe_input({"b", "two", Timestamp(20), {{"trace", to_bytes("t1")}}});
  in.pipe_input("a", "3", Timestamp(30));

  EXPECT_EQ(world.read<Number>("out"), (Pairs<Number>{{"a", 1}, {"a", 3}}));
  const auto& letters = world.driver.produced("dead-letters");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].key, "b");
  EXPECT_EQ(letters[0].value, "two");
  EXPECT_EQ(letters[0].timestamp, Timestamp(20));
  EXPECT_EQ(errors_of(letters[0]),
            (std::map<std::string, std::string>{
                {"trace", "t1"},
                {"__streams.errors.exception", "invalid"},
                {"__streams.errors.message", "\"two\" is no number"},
                {"__streams.errors.stacktrace",
                 "step parse, task 0_0, topic \"in\", partition 0, offset 1"},
                {"__streams.errors.topic", "in"},
                {"__streams.errors.partition", "0"},
                {"__streams.errors.offset", "1"}}));
  EXPECT_EQ(world.driver.counts().dead_lettered, 1U);
  EXPECT_EQ(world.driver.counts().dropped, 0U);
}

TEST(Errors, RecordsThatCannotBeDecodedGoToTheDeadLettersAsBytes) {
  StreamBuilder builder(
      with({.deserialization = ErrorResponse::kDeadLetter, .dead_letter_topic = "dead-letters"}));
  builder.stream<Text, Number>("in").to("out");
  World world(std::move(builder));

  world.driver.create_input_topic<Text, Text>("in").pipe_input("a", "seven", Timestamp(10));
  world.driver.create_input_topic<Text, Number>("in").pipe_input("a", 7, Timestamp(11));

  EXPECT_EQ(world.read<Number>("out"), (Pairs<Number>{{"a", 7}}));
  ASSERT_EQ(world.driver.produced("dead-letters").size(), 1U);
  EXPECT_EQ(world.driver.produced("dead-letters")[0].value, "seven");
}

TEST(Errors, ASourceMayDropWhatOthersMustNot) {
  StreamBuilder builder(with({}));
  builder.stream<Text, Number>("in", {.malformed = Malformed::kDrop}).to("out");
  World world(std::move(builder));

  world.driver.create_input_topic<Text, Text>("in").pipe_input("a", "seven", Timestamp(10));

  EXPECT_EQ(world.driver.counts().dropped, 1U);
}

TEST(Errors, RecordsThatAreTooLargeAreErrorsOfProduction) {
  StreamBuilder builder(with({.production = ErrorResponse::kDeadLetter,
                              .dead_letter_topic = "dead-letters",
                              .record_bytes_max = 10}));
  builder.stream<Text, Text>("in")
      .map_values([](const Text& value) { return value + value; })
      .to("out");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  in.pipe_input("a", "1234", Timestamp(10));
  in.pipe_input("a", "12345", Timestamp(20));

  EXPECT_EQ(world.read<Text>("out"), (Pairs<Text>{{"a", "12341234"}}));
  ASSERT_EQ(world.driver.produced("dead-letters").size(), 1U);
  EXPECT_EQ(world.driver.produced("dead-letters")[0].value, "12345");
}

TEST(Errors, ADeadLetterThatIsTooLargeItselfStopsTheTopology) {
  StreamBuilder builder(with({.production = ErrorResponse::kDeadLetter,
                              .dead_letter_topic = "dead-letters",
                              .record_bytes_max = 10}));
  builder.stream<Text, Text>("in").to("out");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  const Status sent = in.send({"a", "1234567890", Timestamp(10), {}});

  ASSERT_FALSE(sent);
  EXPECT_NE(sent.error().message().find("too large for a dead letter"), std::string::npos);
}

TEST(Errors, TopicsThatWereNotDeclaredAreErrorsOfProduction) {
  StreamBuilder builder(with({.production = ErrorResponse::kContinue}));
  builder.stream<Text, Text>("in").to({"a", "b"}, [](const Text& value) { return value; });
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  in.pipe_input("k", "c", Timestamp(10));
  in.pipe_input("k", "b", Timestamp(20));

  EXPECT_EQ(world.read<Text>("b"), (Pairs<Text>{{"k", "b"}}));
  EXPECT_EQ(world.driver.counts().dropped, 1U);
}

TEST(Errors, RetryTakesTheTransactionBackAndTheRecordsComeAgain) {
  int failures = 2;
  StreamBuilder builder(with({.processing = ErrorResponse::kRetry}));
  const auto stream = builder.stream<Text, Text>("in");
  stream.group_by_key().count(Materialized("counts")).to_stream().to("counted");
  stream
      .map_values([&failures](const Text& value) -> Result<Text> {
        if (failures-- > 0) {
          return Error(ErrorCode::kRetry, "not now");
        }
        return value;
      })
      .to("out");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  const Status sent = in.send({"a", "x", Timestamp(10), {}});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), ErrorCode::kAbortTxn);
  EXPECT_FALSE(world.driver.driver().run());
  EXPECT_TRUE(world.driver.driver().run());
  EXPECT_TRUE(world.driver.driver().commit());

  EXPECT_EQ(world.read<Text>("out"), (Pairs<Text>{{"a", "x"}}));
  EXPECT_EQ(world.read<Number>("counted"), (Pairs<Number>{{"a", 1}}));
}

TEST(Errors, AHandlerSeesTheRecordAndTheErrorAndDecides) {
  std::vector<std::string> seen;
  World world(numbers({.processing = [&seen](const ErrorContext& at, const Error& error) {
    seen.push_back(std::string(at.source.topic) + "/" + to_string(at.source.offset) + "@" +
                   to_string(at.timestamp) + " " + error.message());
    return at.timestamp < Timestamp(15) ? ErrorResponse::kContinue : ErrorResponse::kFail;
  }}));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  EXPECT_TRUE(in.send({"a", "x", Timestamp(10), {}}));
  EXPECT_FALSE(in.send({"a", "y", Timestamp(20), {}}));

  EXPECT_EQ(seen, (Lines{"in/0@10 \"x\" is no number", "in/1@20 \"y\" is no number"}));
}

TEST(Errors, EveryStatelessFunctionMayFail) {
  const auto fails = [](const Text& value) { return value == "bad"; };
  const Error error(ErrorCode::kInvalid, "bad");
  StreamBuilder builder(with({.processing = ErrorResponse::kContinue}));
  const auto in_stream = builder.stream<Text, Text>("in");
  in_stream
      .filter([=](const Text& value) -> Result<bool> {
        return fails(value) ? Result<bool>(error) : Result<bool>(true);
      })
      .to("filter");
  in_stream
      .map([=](const Text& key, const Text& value) -> Result<std::pair<Text, Text>> {
        if (fails(value)) {
          return error;
        }
        return std::pair(key, value);
      })
      .to("map");
  in_stream
      .flat_map_values([=](const Text& value) -> Result<std::vector<Text>> {
        if (fails(value)) {
          return error;
        }
        return std::vector<Text>{value, value};
      })
      .to("flat");
  in_stream
      .select_key([=](const Text& value) -> Result<Text> {
        if (fails(value)) {
          return error;
        }
        return value;
      })
      .to("key");
  in_stream
      .peek([=](const Text& value) -> Status { return fails(value) ? Status(error) : Status(); })
      .to("peek");
  const auto [matching, rest] = in_stream.split([=](const Text& value) -> Result<bool> {
    return fails(value) ? Result<bool>(error) : Result<bool>(value == "x");
  });
  matching.to("matching");
  rest.to("rest");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  in.pipe_input("k", "bad", Timestamp(1));
  in.pipe_input("k", "x", Timestamp(2));

  const Pairs<Text> one = {{"k", "x"}};
  EXPECT_EQ(world.read<Text>("filter"), one);
  EXPECT_EQ(world.read<Text>("map"), one);
  EXPECT_EQ(world.read<Text>("flat"), (Pairs<Text>{{"k", "x"}, {"k", "x"}}));
  EXPECT_EQ(world.read<Text>("key"), (Pairs<Text>{{"x", "x"}}));
  EXPECT_EQ(world.read<Text>("peek"), one);
  EXPECT_EQ(world.read<Text>("matching"), one);
  EXPECT_EQ(world.read<Text>("rest"), Pairs<Text>());
  EXPECT_EQ(world.driver.counts().dropped, 6U);
}

class RejectsShort final : public Processor<Text, Text, Text, Text> {
 public:
  void init(Context& context) override { context_ = &context; }

  void process(const Record<Text, Text>& record) override {
    if (record.value->size() < 2) {
      return context_->reject(Error(ErrorCode::kInvalid, "too short"));
    }
    context_->forward(record);
  }

 private:
  Context* context_ = nullptr;
};

TEST(Errors, AProcessorMayRejectARecord) {
  StreamBuilder builder(
      with({.processing = ErrorResponse::kDeadLetter, .dead_letter_topic = "dead-letters"}));
  builder.stream<Text, Text>("in")
      .process([] { return std::make_unique<RejectsShort>(); })
      .to("out");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  in.pipe_input("a", "x", Timestamp(10));
  in.pipe_input("a", "long", Timestamp(20));

  EXPECT_EQ(world.read<Text>("out"), (Pairs<Text>{{"a", "long"}}));
  EXPECT_EQ(world.driver.produced("dead-letters").size(), 1U);
}

TEST(Errors, DeadLettersBehindARepartitionTopicNameThatTopic) {
  StreamBuilder builder(
      with({.processing = ErrorResponse::kDeadLetter, .dead_letter_topic = "dead-letters"}));
  builder.stream<Text, Text>("in")
      .select_key([](const Text& value) { return value; })
      .repartition(Repartitioned("by-value"))
      .map_values(number_in)
      .to("out");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  in.pipe_input("a", "x", Timestamp(10));

  ASSERT_EQ(world.driver.produced("dead-letters").size(), 1U);
  EXPECT_EQ(errors_of(world.driver.produced("dead-letters")[0])["__streams.errors.topic"],
            "app-by-value-repartition");
}

TEST(Errors, ATopologyWithoutDeadLetterTopicIsRefusedWhereAHandlerWritesOne) {
  StreamBuilder builder(with({.production = ErrorResponse::kDeadLetter}));
  builder.stream<Text, Text>("in").to("out");

  const auto topology = std::move(builder).build();

  ASSERT_FALSE(topology);
  EXPECT_EQ(topology.error().code(), ErrorCode::kInvalid);
}

TEST(ErrorsDeathTest, AsksForATopicThatIsNotThere) {
  World world(numbers({}));
  EXPECT_DEATH(static_cast<void>(world.driver.produced("Out")),
               "the topology has no topic \"Out\"; it has in, out");
}

}  // namespace
}  // namespace penstock::dsl
