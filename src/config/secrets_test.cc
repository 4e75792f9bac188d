#include "config/secrets.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/sim_file_system.h"

namespace penstock::config {
namespace {

class SecretsTest : public ::testing::Test {
 protected:
  Result<std::string> resolve(std::string_view value) {
    return resolve_reference(value, files_, environment_);
  }

  void write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(os::write_file_atomically(files_, path, as_bytes(text)));
  }

  testing::SimFileSystem files_;
  const std::vector<std::string> environment_ = {"HOME=/root", "SECRET=a=b", "SECRET_2=c"};
};

TEST_F(SecretsTest, ComeFromTheEnvironment) {
  EXPECT_EQ(*resolve("${env:SECRET}"), "a=b");
}

TEST_F(SecretsTest, ComeFromFilesWithoutTheNewlineAtTheEnd) {
  write("/secret", "xyz\n");

  EXPECT_EQ(*resolve("${file:/secret}"), "xyz");
}

TEST_F(SecretsTest, OtherTextsStandForThemselves) {
  for (const char* text : {"", "abc", "${env:}", "${file:", "x${env:SECRET}", "$HOME"}) {
    EXPECT_EQ(*resolve(text), text);
    EXPECT_FALSE(is_reference(text)) << text;
  }
  EXPECT_TRUE(is_reference("${env:A}"));
  EXPECT_TRUE(is_reference("${file:/a}"));
}

TEST_F(SecretsTest, MissingOnesAreNamed) {
  const auto variable = resolve("${env:NOTHING}");
  ASSERT_FALSE(variable);
  EXPECT_EQ(variable.error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(variable.error().message(), "there is no environment variable NOTHING");

  const auto file = resolve("${file:/nothing}");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), ErrorCode::kInvalid);
  EXPECT_NE(file.error().message().find("/nothing"), std::string::npos);
}

TEST_F(SecretsTest, PasswordsAndKeysAreSecrets) {
  EXPECT_TRUE(is_secret("sasl.password"));
  EXPECT_TRUE(is_secret("ssl.key.password"));
  EXPECT_FALSE(is_secret("sasl.username"));
  EXPECT_FALSE(is_secret("ssl.ca.location"));
}

}  // namespace
}  // namespace penstock::config
