#include "penstock/command_line.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.h"
#include "os/file_system.h"
#include "penstock/exit_code.h"
#include "penstock/remote.h"
#include "penstock/small_server_test.h"

namespace penstock::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Outcome run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "penstock");
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.exit_code = run_command_line(static_cast<int>(arguments.size()), arguments.data());
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

// Every command that can be asked for help.
const std::vector<std::vector<const char*>> kCommands = {
    {},
    {"up"},
    {"topics"},
    {"dlq"},
    {"dlq", "list"},
    {"dlq", "stats"},
    {"dlq", "show"},
    {"dlq", "replay"},
    {"topology"},
    {"topology", "show"},
    {"topology", "diff"},
    {"archive"},
    {"archive", "verify"},
    {"archive", "restore"},
    {"doctor"},
    {"config"},
    {"config", "check"},
    {"config", "show"},
    {"bench"},
};

std::string read(const std::string& path) {
  const auto files = os::make_posix_file_system();
  const auto bytes = os::read_file(*files, path);
  EXPECT_TRUE(bytes) << bytes.error().message();
  return bytes ? std::string(as_text(*bytes)) : "";
}

// The help of all commands is what tests/golden/help.txt says. UPDATE_GOLDEN=1 writes it.
TEST(CommandLine, HelpsWithEveryCommand) {
  const std::string path = "tests/golden/help.txt";
  std::string help;
  for (std::vector<const char*> command : kCommands) {
    help += "$ penstock";
    for (const char* word : command) {
      help += " " + std::string(word);
    }
    command.push_back("--help");
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.exit_code, kExitOk) << help;
    help += " --help\n" + outcome.out + "\n";
  }

  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    const auto files = os::make_posix_file_system();
    ASSERT_TRUE(os::write_file_atomically(*files, path, as_bytes(help)));
  }
  EXPECT_EQ(help, read(path)) << "if this is meant, run with UPDATE_GOLDEN=1";
}

TEST(CommandLine, ListsTheExitCodesInItsHelp) {
  const std::string help = run({"--help"}).out;

  EXPECT_THAT(help, HasSubstr("Exit codes: 0 done; 1 failed"));
  EXPECT_THAT(help, HasSubstr("2 a mistake"));
  EXPECT_THAT(help, HasSubstr("3 the data directory"));
}

TEST(CommandLine, TellsItsVersionEverywhere) {
  for (std::vector<const char*> command : kCommands) {
    command.push_back("--version");
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.exit_code, kExitOk);
    EXPECT_EQ(outcome.out, "penstock " PENSTOCK_VERSION "\n") << command.front();
  }
}

TEST(CommandLine, RefusesWhatItDoesNotKnowWithOneSentence) {
  struct Mistake {
    std::vector<const char*> arguments;
    std::string sentence;
  };

  const std::vector<Mistake> mistakes = {
      {{}, "A subcommand is required; penstock --help lists what there is"},
      {{"upp"}, "there is no command \"penstock upp\"; did you mean \"up\"?"},
      {{"frobnicate"}, "there is no command \"penstock frobnicate\""},
      {{"dlq"}, "A subcommand is required; penstock --help lists what there is"},
      {{"dlq", "list", "--limit", "0"},
       "--limit: Value 0 not in range 1 to 1000000000000; penstock --help lists what there is"},
      {{"dlq", "replay", "--limit", "-1"},
       "--limit: Value -1 not in range 1 to 1000000000000; penstock --help lists what there is"},
      {{"dlq", "replay", "--rate", "-1"},
       "--rate: Value -1 not in range 1 to 1000000; penstock --help lists what there is"},
      {{"dlq", "lsit"}, "there is no command \"penstock dlq lsit\"; did you mean \"list\"?"},
      {{"up", "--lisen=x"},
       "The following argument was not expected: --lisen=x; penstock --help lists what there is"},
      {{"dlq", "replay", "--rate", "0"},
       "--rate: Value 0 not in range 1 to 1000000; penstock --help lists what there is"},
      {{"dlq", "list", "--limit", "many"},
       "--limit: Value many not in range 1 to 1000000000000; penstock --help lists what there is"},
  };
  for (const Mistake& mistake : mistakes) {
    const Outcome outcome = run(mistake.arguments);
    EXPECT_EQ(outcome.exit_code, kExitUsage);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "penstock: " + mistake.sentence + "\n");
  }
}

TEST(CommandLine, ChecksAConfigurationAndNamesAllItsMistakes) {
  const Outcome outcome = run({"config", "check", "--config", "tests/golden/broken.toml"});

  EXPECT_EQ(outcome.exit_code, kExitUsage);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            "penstock: tests/golden/broken.toml:3: log.backend must be \"embedded\" or "
            "\"kafka\", not \"files\"\n"
            "penstock: tests/golden/broken.toml:4: log.segment_size must be a size from 1MiB to "
            "2GiB, such as \"64MiB\" (KiB, MiB, GiB), not \"64XB\"\n"
            "penstock: tests/golden/broken.toml:7: http.lisen is not a setting; did you mean "
            "\"listen\"?\n"
            "penstock: tests/golden/broken.toml:11: topic \"web\": partitions must be a whole "
            "number from 1 to 1000, not 0\n"
            "penstock: tests/golden/broken.toml:12: topic \"web\": key must be a JSON Pointer, "
            "which begins with \"/\", such as \"/user/id\", not \"client_ip\"\n"
            "penstock: tests/golden/broken.toml:14: aggregate \"status_by_hour\": count must be "
            "true if there is none of sum, min, max and avg\n"
            "penstock: tests/golden/broken.toml:16: aggregate \"status_by_hour\": topic must be a "
            "topic that is declared with [[topic]], not \"wbe\"; did you mean \"web\"?\n");
}

TEST(CommandLine, AcceptsTheConfigurationOfTheDemonstration) {
  const Outcome outcome = run({"config", "check", "--config", "examples/demo/penstock.toml"});

  EXPECT_EQ(outcome.exit_code, kExitOk) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("the configuration is fine: "));
}

TEST(CommandLine, ShowsTheConfigurationWithFlagsApplied) {
  const Outcome outcome =
      run({"config", "show", "--config", "examples/demo/penstock.toml", "--data-dir", "elsewhere"});

  EXPECT_EQ(outcome.exit_code, kExitOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("data_dir = \"elsewhere\"\n"));
  EXPECT_THAT(outcome.out, HasSubstr("[[topic]]\nname = \"web\"\n"));
}

TEST(CommandLine, NamesAFileThatIsNotThere) {
  const Outcome outcome = run({"up", "--config", "nowhere.toml"});

  EXPECT_EQ(outcome.exit_code, kExitUsage);
  EXPECT_EQ(outcome.err, "penstock: --config: there is no file \"nowhere.toml\"\n");
}

TEST(CommandLine, FailsWhereNoServerAnswers) {
  for (const std::vector<const char*>& command :
       std::vector<std::vector<const char*>>{{"topics"}, {"dlq", "list"}, {"dlq", "replay"}}) {
    std::vector<const char*> arguments = command;
    arguments.insert(arguments.end(), {"--url", "http://127.0.0.1:1"});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, kExitFailed);
    EXPECT_THAT(outcome.err, HasSubstr("no answer from http://127.0.0.1:1"));
  }
}

gateway::GatewayOptions keyed_topic() {
  gateway::GatewayOptions options;
  gateway::TopicOptions web;
  web.log.name = "web";
  web.log.partition_count = 3;
  web.key = *JsonPointer::parse("/user");
  options.topics = {web};
  return options;
}

TEST(CommandLine, ListsTheTopicsOfARunningServer) {
  const SmallServer server(keyed_topic());

  const Outcome outcome = run({"topics", "--url", server.url().c_str()});

  EXPECT_EQ(outcome.exit_code, kExitOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "TOPIC                  PARTITIONS         RECORDS\n"
            "__dead_letter_actions           1               0\n"
            "__idempotency_keys              1               0\n"
            "web                             3               0\n"
            "web.dlq                         1               0\n");
}

TEST(CommandLine, ReplaysTheDeadLettersOfARunningServer) {
  const SmallServer server(keyed_topic());
  const std::string url = server.url();
  net::ClientRequest request;
  request.method = "POST";
  request.target = "/v1/topics/web/events";
  request.body = "{\"no\":1}\n{\"user\":1}\n";
  ASSERT_TRUE(Remote::connect(url)->send(request));

  const Outcome dry = run({"dlq", "replay", "--dry-run", "--url", url.c_str()});
  const Outcome replay = run({"dlq", "replay", "--url", url.c_str()});
  const Outcome other = run({"dlq", "replay", "--code", "too_deep", "--url", url.c_str()});

  EXPECT_THAT(dry.out, HasSubstr("would replay:\nweb: 1 dead letters from "));
  EXPECT_THAT(dry.out, HasSubstr("         1  missing_key\n"));
  EXPECT_EQ(replay.exit_code, kExitOk);
  EXPECT_EQ(replay.out,
            "replayed 1 missing_key\n"
            "0 accepted, 0 known already, 1 refused again, 0 not taken at all\n");
  EXPECT_EQ(other.out, "no dead letters to replay\n");
}

TEST(CommandLine, RefusesATimeThatIsNone) {
  const Outcome outcome = run({"dlq", "list", "--since", "yesterday"});

  EXPECT_EQ(outcome.exit_code, kExitUsage);
  EXPECT_EQ(outcome.err,
            "penstock: --since: \"yesterday\" is not a time such as 2026-01-31T08:00:00Z\n");
}

}  // namespace
}  // namespace penstock::app
