#include "penstock/dead_letters.h"

#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "penstock/small_server_test.h"

namespace penstock::app {
namespace {

using ::testing::HasSubstr;

// Two topics, of which "web" wants a key.
gateway::GatewayOptions two_topics() {
  gateway::GatewayOptions options;
  gateway::TopicOptions web;
  web.log.name = "web";
  web.key = *JsonPointer::parse("/user");
  gateway::TopicOptions devices;
  devices.log.name = "devices";
  options.topics = {web, devices};
  return options;
}

class DeadLetters : public ::testing::Test {
 protected:
  void post(const std::string& topic, const std::string& body,
            std::vector<std::pair<std::string, std::string>> headers = {}) {
    net::ClientRequest request;
    request.method = "POST";
    request.target = "/v1/topics/" + topic + "/events";
    request.headers = std::move(headers);
    request.body = body;
    const auto answer = remote_.send(request);
    ASSERT_TRUE(answer) << answer.error().message();
  }

  std::vector<DeadLetter> letters(const DeadLetterFilter& filter = {}) {
    std::vector<DeadLetter> found;
    const Status status = for_each_dead_letter(remote_, filter, [&](const DeadLetter& letter) {
      found.push_back(letter);
      return Status();
    });
    EXPECT_TRUE(status) << status.error().message();
    return found;
  }

  std::int64_t record_count(const std::string& topic) {
    const auto topics = remote_.topics();
    EXPECT_TRUE(topics) << topics.error().message();
    for (const RemoteTopic& found : *topics) {
      if (found.name == topic) {
        return found.record_count();
      }
    }
    ADD_FAILURE() << "no topic " << topic;
    return -1;
  }

  ReplaySummary replay(const ReplayOptions& options = {}) {
    std::ostringstream progress;
    const auto summary = replay_dead_letters(remote_, options, progress);
    EXPECT_TRUE(summary) << summary.error().message();
    return summary ? *summary : ReplaySummary();
  }

  SmallServer server_{two_topics()};
  Remote remote_ = *Remote::connect(server_.url());
};

TEST_F(DeadLetters, AreReadWithEverythingThatIsKnownOfThem) {
  const std::string broken = "{\"user\":\"\xff\"}";
  post("web", "{\"user\":1}\n" + broken + "\n");

  const std::vector<DeadLetter> found = letters();

  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].topic, "web");
  EXPECT_EQ(found[0].code, "invalid_utf8");
  EXPECT_FALSE(found[0].message.empty());
  EXPECT_THAT(found[0].source, HasSubstr("127.0.0.1"));
  EXPECT_EQ(found[0].replays, 0u);
  EXPECT_EQ(found[0].bytes, broken);
  EXPECT_EQ(found[0].time.size(), std::string("2024-01-01T00:00:00.000Z").size());
}

TEST_F(DeadLetters, AreCountedByTopicAndReason) {
  post("web", "{\"no\":1}\n{\"no\":2}\n{\"user\":}\n");
  post("devices", "{\"a\":1}\n{\"a\":}\n");

  std::ostringstream out;
  ASSERT_TRUE(list_dead_letters(remote_, {}, out));

  EXPECT_EQ(out.str(),
            "TOPIC                           REASON                  COUNT\n"
            "devices                         invalid_json            1\n"
            "web                             invalid_json            1\n"
            "web                             missing_key             2\n");
}

TEST_F(DeadLetters, AreCountedByTheServer) {
  post("web", "{\"no\":1}\n{\"no\":2}\n{\"user\":}\n");
  post("devices", "{\"a\":}\n");

  std::ostringstream out;
  ASSERT_TRUE(count_dead_letters(remote_, {.topic = "web"}, out));
  std::ostringstream none;
  ASSERT_TRUE(count_dead_letters(remote_, {.code = "a&b", .sink = "db", .since_ms = 5}, none));

  EXPECT_THAT(out.str(), HasSubstr("web: 3 dead letters from 20"));
  EXPECT_THAT(out.str(), HasSubstr("         2  missing_key\n"));
  EXPECT_THAT(out.str(), HasSubstr(":00:00.000Z  ########"));
  EXPECT_THAT(out.str(), Not(HasSubstr("devices")));
  EXPECT_EQ(none.str(), "no dead letters\n");
  EXPECT_EQ(count_dead_letters(remote_, {.topic = "wbe"}, out).error().code(),
            ErrorCode::kNotFound);
}

TEST_F(DeadLetters, SaysSoWhenThereAreNone) {
  std::ostringstream out;

  ASSERT_TRUE(list_dead_letters(remote_, {}, out));

  EXPECT_EQ(out.str(), "no dead letters\n");
}

TEST_F(DeadLetters, AreShownOneALineWithTheirBytes) {
  post("web", "{\"no\":1}\n{\"user\":\"\xff\"}\n");

  std::ostringstream out;
  ASSERT_TRUE(show_dead_letters(remote_, {}, out));

  std::istringstream lines(out.str());
  std::vector<nlohmann::json> shown;
  for (std::string line; std::getline(lines, line);) {
    shown.push_back(nlohmann::json::parse(line));
  }
  ASSERT_EQ(shown.size(), 2u);
  const bool text_first = shown[0].contains("event");
  EXPECT_EQ(shown[text_first ? 0 : 1]["event"], "{\"no\":1}");
  EXPECT_EQ(shown[text_first ? 1 : 0]["event_base64"], "eyJ1c2VyIjoi/yJ9");
}

TEST_F(DeadLetters, AreFilteredByTopicReasonTimeAndNumber) {
  post("web", "{\"no\":1}\n{\"no\":2}\n{\"user\":}\n");
  post("devices", "{\"a\":}\n{\"b\":1}\n");

  EXPECT_EQ(letters({.topic = "web"}).size(), 3u);
  EXPECT_EQ(letters({.code = "invalid_json"}).size(), 2u);
  EXPECT_EQ(letters({.topic = "web", .code = "missing_key", .limit = 1}).size(), 1u);
  EXPECT_EQ(letters({.since_ms = 0}).size(), 4u);
  EXPECT_EQ(letters({.until_ms = 1'000}).size(), 0u);
}

TEST_F(DeadLetters, OfATopicThatIsNotThereAreAnError) {
  const Status status =
      for_each_dead_letter(remote_, {.topic = "wbe"}, [](const DeadLetter&) { return Status(); });

  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(status.error().message(), HasSubstr("\"wbe\""));
}

TEST_F(DeadLetters, ReplayedAndRefusedAgainCountHowOften) {
  post("web", "{\"no\":1}\n");

  const ReplaySummary first = replay();
  const std::vector<DeadLetter> found = letters();

  EXPECT_EQ(first.dead_lettered, 1u);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].replays, 0u);
  EXPECT_EQ(found[1].replays, 1u);
  EXPECT_EQ(found[1].bytes, found[0].bytes);
}

TEST_F(DeadLetters, AreLeftInQuarantineSoThatNoneRunsInCircles) {
  post("web", "{\"no\":1}\n");

  std::uint64_t left = 0;
  for (int i = 0; i < 6; ++i) {
    left = replay().in_quarantine;
  }

  EXPECT_EQ(left, 1u);
  // The first one, and one for each of its three replays; none was sent twice from the same place.
  EXPECT_EQ(record_count("web.dlq"), 4);
  EXPECT_EQ(letters({.quarantined = true}).size(), 1u);
  EXPECT_EQ(letters({.quarantined = false}).size(), 3u);
  EXPECT_EQ(replay({.filter = {.quarantined = true}}).dead_lettered, 1u);
}

TEST_F(DeadLetters, AreEditedOnTheirWay) {
  post("web", "{\"no\":1}\n{\"user\":}\n");

  const ReplaySummary summary =
      replay({.patch = R"([{"op":"add","path":"/user","value":"ann"}])", .by = "ann"});
  std::ostringstream actions;
  ASSERT_TRUE(show_dead_letter_actions(remote_, {.topic = "web"}, actions));

  EXPECT_EQ(summary.accepted, 1u);
  EXPECT_EQ(summary.not_taken, 1u);  // what is no JSON cannot be edited
  EXPECT_EQ(record_count("web"), 1);
  EXPECT_THAT(actions.str(), HasSubstr(R"("by":"ann","code":"missing_key","edited":true)"));
  EXPECT_THAT(actions.str(), HasSubstr(R"("outcome":"accepted")"));
  EXPECT_EQ(replay({.patch = "[]"}).duplicates, 1u);
}

TEST_F(DeadLetters, ThatAreNoJsonAtAllDoNotEndTheReplayOfTheOthers) {
  post("web", "{\"user\":1}\n}}}}\n{\"no\":2}\n");
  ASSERT_EQ(letters().size(), 2u);

  const ReplaySummary summary = replay();

  EXPECT_EQ(summary.not_taken, 1u);
  EXPECT_EQ(summary.dead_lettered, 1u);
  EXPECT_EQ(summary.accepted, 0u);
}

TEST(Remote, SaysThatNobodyAnswersAndWhatToDo) {
  Remote remote = *Remote::connect("http://127.0.0.1:1");

  const auto topics = remote.topics();

  ASSERT_FALSE(topics);
  EXPECT_THAT(topics.error().message(), HasSubstr("http://127.0.0.1:1"));
  EXPECT_THAT(topics.error().message(), HasSubstr("penstock up"));
}

}  // namespace
}  // namespace penstock::app
