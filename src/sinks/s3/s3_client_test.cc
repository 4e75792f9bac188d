#include "sinks/s3/s3_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sinks/s3/fake_s3_for_test.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"

namespace penstock::sinks {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class S3ClientTest : public ::testing::Test {
 protected:
  S3ClientTest()
      : credentials_(files_, clock_, nullptr, {.settings = Credentials{"key", "secret", ""}}),
        client_(clock_, random_, registry_, std::make_unique<FakeS3>(bucket_), credentials_,
                {.host = "h",
                 .bucket = "b",
                 .attempts_max = 4,
                 .backoff = {milliseconds(0), milliseconds(0)}}) {}

  void fail_next(std::vector<S3Fault> faults) {
    bucket_.fault = [faults, next = std::size_t{0}](const auto&) mutable {
      return next < faults.size() ? faults[next++] : S3Fault::kNone;
    };
  }

  static std::string header(const net::ClientRequest& request, const std::string& name) {
    for (const auto& [field, value] : request.headers) {
      if (field == name) {
        return value;
      }
    }
    return "";
  }

  testing::SimClock clock_;
  os::SeededRandom random_{1};
  telemetry::Registry registry_;
  testing::SimFileSystem files_;
  FakeBucket bucket_;
  CredentialsSource credentials_;
  S3Client client_;
};

TEST_F(S3ClientTest, MakesAnObjectOnce) {
  EXPECT_EQ(*client_.put_new("a b", "1", "text/plain", {{"rows", "7"}}), Put::kMade);
  EXPECT_EQ(*client_.put_new("a b", "2", "text/plain", {}), Put::kExists);

  EXPECT_EQ(*client_.get("a b"), "1");
  const auto object = client_.head("a b");
  EXPECT_EQ(object->size, 1U);
  EXPECT_EQ(object->metadata, (S3Client::Metadata{{"rows", "7"}}));
  EXPECT_EQ(bucket_.requests.front().target, "/b/a%20b");
}

TEST_F(S3ClientTest, SignsTheBodyAndSendsItsChecksum) {
  ASSERT_TRUE(client_.put_new("k", "123456789", "text/plain", {}));

  const net::ClientRequest& sent = bucket_.requests.front();
  EXPECT_EQ(header(sent, "x-amz-checksum-crc32c"), "4waSgw==");  // RFC 3720: e3069283
  EXPECT_EQ(header(sent, "x-amz-content-sha256"),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
  EXPECT_THAT(header(sent, "Authorization"),
              HasSubstr("SignedHeaders=content-type;host;if-none-match;x-amz-checksum-crc32c;"
                        "x-amz-content-sha256;x-amz-date, Signature="));
}

TEST_F(S3ClientTest, TriesAgainWhatMayPass) {
  fail_next({S3Fault::kLost, S3Fault::kSlowDown, S3Fault::kFailed});

  EXPECT_EQ(*client_.put_new("k", "v", "text/plain", {}), Put::kMade);
  EXPECT_EQ(registry_.value("penstock_s3_retries_total"), 3);
  EXPECT_EQ(registry_.value("penstock_s3_requests_total"), 4);
}

TEST_F(S3ClientTest, GivesUpAfterSoManyAttempts) {
  bucket_.fault = [](const auto&) { return S3Fault::kSlowDown; };

  const auto put = client_.put_new("k", "v", "text/plain", {});

  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code(), ErrorCode::kRetry);
  EXPECT_THAT(put.error().message(), HasSubstr("503 SlowDown: no"));
  EXPECT_EQ(bucket_.requests.size(), 4U);
}

TEST_F(S3ClientTest, AnUnheardSuccessLooksAsIfSomebodyElseHadDoneIt) {
  fail_next({S3Fault::kAnswerLost});

  EXPECT_EQ(*client_.put_new("k", "v", "text/plain", {}), Put::kExists);
}

TEST_F(S3ClientTest, UploadsInParts) {
  const auto id = client_.begin_upload("k", "text/plain", {{"rows", "2"}});
  const S3Client::Upload upload{"k", *id};
  const auto one = client_.put_part(upload, 1, "ab");
  const auto two = client_.put_part(upload, 2, "c");
  ASSERT_TRUE(one && two);

  EXPECT_EQ(*client_.complete_upload(upload, {*one, *two}), Put::kMade);
  EXPECT_EQ(*client_.get("k"), "abc");
  EXPECT_EQ(client_.head("k")->metadata.at("rows"), "2");
  EXPECT_THAT(client_.complete_upload(upload, {*one}).error().code(), ErrorCode::kAbortTxn);
}

TEST_F(S3ClientTest, AnErrorMayHideIn200) {
  const auto id = client_.begin_upload("k", "text/plain", {});
  const S3Client::Upload upload{"k", *id};
  const auto part = client_.put_part(upload, 1, "ab");
  fail_next({S3Fault::kDisguised});

  EXPECT_EQ(*client_.complete_upload(upload, {*part}), Put::kMade);
  EXPECT_EQ(bucket_.requests.size(), 4U);
}

TEST_F(S3ClientTest, ListsAndAbortsUploads) {
  ASSERT_TRUE(client_.begin_upload("p/k", "text/plain", {}));
  ASSERT_TRUE(client_.begin_upload("other", "text/plain", {}));

  const auto found = client_.uploads("p/");
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().key, "p/k");
  EXPECT_TRUE(client_.abort_upload(found->front()));
  EXPECT_TRUE(client_.abort_upload(found->front()));  // gone already
  EXPECT_EQ(bucket_.uploads.size(), 1U);
}

TEST_F(S3ClientTest, ListsPageByPage) {
  for (const char* const key : {"p/1", "p/2", "p/3", "p/4&5", "q"}) {
    ASSERT_TRUE(client_.put_new(key, "x", "text/plain", {}));
  }

  std::vector<std::string> keys;
  for (const S3Client::Listed& object : *client_.list("p/")) {
    keys.push_back(object.key);
  }
  EXPECT_THAT(keys, ElementsAre("p/1", "p/2", "p/3", "p/4&5"));
  EXPECT_THAT(*client_.folders(""), ElementsAre("p"));
}

TEST_F(S3ClientTest, SetsItsClockByTheServersOnce) {
  clock_.set_wall(os::WallTime(milliseconds(1'369'353'600'000)));  // 2013-05-24T00:00:00Z
  bucket_.date = "Fri, 24 May 2013 01:00:00 GMT";
  bucket_.refusal = {.status = 403, .body = FakeBucket::error("RequestTimeTooSkewed")};
  bucket_.refusals = 1;

  ASSERT_TRUE(client_.put_new("k", "v", "text/plain", {}));
  EXPECT_EQ(header(bucket_.requests[0], "x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(header(bucket_.requests[1], "x-amz-date"), "20130524T010000Z");

  bucket_.refusals = 9;
  const auto refused = client_.put_new("k2", "v", "text/plain", {});
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(bucket_.requests.size(), 3U);  // the clock is right: no use in trying again
}

TEST_F(S3ClientTest, FetchesExpiredCredentialsAgainOnce) {
  bucket_.refusal = {.status = 400, .body = FakeBucket::error("ExpiredToken")};
  bucket_.refusals = 1;
  EXPECT_TRUE(client_.put_new("k", "v", "text/plain", {}));

  bucket_.refusals = 9;
  EXPECT_EQ(client_.put_new("k2", "v", "text/plain", {}).error().code(), ErrorCode::kInvalid);
}

TEST_F(S3ClientTest, SaysWhatIsNotThere) {
  EXPECT_EQ(client_.get("k").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(client_.head("k").error().code(), ErrorCode::kNotFound);
  bucket_.refusal = {.status = 404, .body = FakeBucket::error("NoSuchBucket")};
  bucket_.refusals = 1;
  EXPECT_EQ(client_.get("k").error().code(), ErrorCode::kInvalid);
}

TEST_F(S3ClientTest, AfterAnInterruptNothingIsSent) {
  client_.interrupt();

  EXPECT_EQ(client_.get("k").error().code(), ErrorCode::kRetry);
  EXPECT_TRUE(bucket_.requests.empty());
}

}  // namespace
}  // namespace penstock::sinks
