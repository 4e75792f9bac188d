#include "sinks/s3/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"

namespace penstock::sinks {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsSource source(std::vector<std::string> environment,
                           std::optional<Credentials> settings = {}) {
    return {files_,
            clock_,
            [this](const net::Url& url, const net::ClientRequest& request) {
              return answer(url, request);
            },
            {.settings = std::move(settings), .environment = std::move(environment)}};
  }

  // Both kinds of endpoint; what was asked is kept as "PUT host/path header".
  Result<net::ClientResponse> answer(const net::Url& url, const net::ClientRequest& request) {
    std::string asked = request.method + " " + url.host + request.target;
    for (const auto& [name, value] : request.headers) {
      asked.append(" ").append(name).append("=").append(value);
    }
    asked_.push_back(asked);
    if (request.method == "PUT") {
      return net::ClientResponse{.status = 200, .headers = {}, .body = "token"};
    }
    if (request.target.ends_with("credentials/")) {
      return net::ClientResponse{.status = 200, .headers = {}, .body = "role\n"};
    }
    return net::ClientResponse{.status = status_, .headers = {}, .body = body_};
  }

  void write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(files_.create_directories(os::parent_path(path)).has_value());
    ASSERT_TRUE(os::write_file_atomically(files_, path, as_bytes(text)).has_value());
  }

  testing::SimClock clock_;
  testing::SimFileSystem files_;
  std::vector<std::string> asked_;
  int status_ = 200;
  std::string body_ =
      R"({"AccessKeyId":"I","SecretAccessKey":"S","Token":"T","Expiration":"2024-01-01T06:00:00Z"})";
};

const std::vector<std::string> kVariables = {"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret",
                                             "AWS_SESSION_TOKEN=token"};

TEST_F(CredentialsTest, SettingsComeFirst) {
  auto credentials = source(kVariables, Credentials{"mine", "my-secret", ""}).get();

  EXPECT_EQ(credentials->access_key_id, "mine");
}

TEST_F(CredentialsTest, ThenTheEnvironment) {
  write("/home/.aws/credentials", "[default]\naws_access_key_id=f\naws_secret_access_key=f\n");
  std::vector<std::string> variables = kVariables;
  variables.push_back("HOME=/home");

  const auto credentials = source(variables).get();

  EXPECT_EQ(credentials->access_key_id, "id");
  EXPECT_EQ(credentials->secret_access_key, "secret");
  EXPECT_EQ(credentials->session_token, "token");
}

TEST_F(CredentialsTest, ThenTheProfileOfTheFile) {
  write("/home/.aws/credentials",
        "# notes\n[default]\naws_access_key_id = d\naws_secret_access_key = ds\r\n\n"
        "[ other ]\naws_access_key_id=o\naws_secret_access_key=os=/+\naws_session_token = ot");

  EXPECT_EQ(source({"HOME=/home"}).get()->secret_access_key, "ds");
  const auto other = source({"HOME=/home", "AWS_PROFILE=other"}).get();
  EXPECT_EQ(other->access_key_id, "o");
  EXPECT_EQ(other->secret_access_key, "os=/+");
  EXPECT_EQ(other->session_token, "ot");
}

TEST_F(CredentialsTest, ThenTheContainer) {
  write("/token", "from-a-file\n");

  const auto credentials = source({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x",
                                   "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/token"})
                               .get();

  EXPECT_EQ(credentials->session_token, "T");
  EXPECT_EQ(asked_.front(), "GET 169.254.170.2/v2/x Authorization=from-a-file");
}

TEST_F(CredentialsTest, ThenTheRoleOfTheMachine) {
  EXPECT_EQ(source({}).get()->access_key_id, "I");

  EXPECT_EQ(asked_[0],
            "PUT 169.254.169.254/latest/api/token X-aws-ec2-metadata-token-ttl-seconds=21600");
  EXPECT_EQ(asked_[2],
            "GET 169.254.169.254/latest/meta-data/iam/security-credentials/role "
            "X-aws-ec2-metadata-token=token");
}

TEST_F(CredentialsTest, AsksAgainFiveMinutesBeforeTheyExpire) {
  auto credentials = source({"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://h/c"});
  ASSERT_TRUE(credentials.get().has_value());
  clock_.advance(std::chrono::hours(5));
  ASSERT_TRUE(credentials.get().has_value());
  EXPECT_EQ(asked_.size(), 1U);

  clock_.advance(std::chrono::minutes(55));
  ASSERT_TRUE(credentials.get().has_value());
  EXPECT_EQ(asked_.size(), 2U);
}

TEST_F(CredentialsTest, AsksAgainWhatWasRefused) {
  auto credentials = source({"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://h/c"});
  ASSERT_TRUE(credentials.get().has_value());

  credentials.forget();

  ASSERT_TRUE(credentials.get().has_value());
  EXPECT_EQ(asked_.size(), 2U);
}

TEST_F(CredentialsTest, SaysWhereItHasLooked) {
  const auto nowhere = source({"AWS_EC2_METADATA_DISABLED=true"}).get();
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(nowhere.error().code(), ErrorCode::kRetry);
  EXPECT_THAT(nowhere.error().message(), HasSubstr("no credentials for S3 in the settings"));

  status_ = 404;
  EXPECT_THAT(source({}).get().error().message(),
              HasSubstr("the credentials' endpoint 169.254.169.254 answered 404"));
  status_ = 200;
  body_ = "<html>secret";
  EXPECT_THAT(source({}).get().error().message(), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace penstock::sinks
