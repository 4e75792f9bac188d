// The vectors are AWS's: the examples of "Authenticating Requests" in the documentation of S3, and
// get-vanilla, get-vanilla-query-order-key, get-header-value-trim and post-vanilla of the test
// suite of Signature Version 4.
#include "sinks/s3/signature.h"

#include <gtest/gtest.h>

#include "net/digest.h"

namespace penstock::sinks {
namespace {

const std::string kEmptyHash = net::hex(net::sha256({}));

SigningKey s3_key() {
  return {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
          .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
          .region = "us-east-1"};
}

SigningKey suite_key() {
  return {.access_key_id = "AKIDEXAMPLE",
          .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
          .region = "us-east-1",
          .service = "service"};
}

std::string signature_of(const std::string& authorization) {
  return authorization.substr(authorization.rfind('=') + 1);
}

TEST(Signature, OfGettingAnObject) {
  const SignedRequest request = {.method = "GET",
                                 .path = "/test.txt",
                                 .query = {},
                                 .headers = {{"Host", "examplebucket.s3.amazonaws.com"},
                                             {"Range", "bytes=0-9"},
                                             {"x-amz-content-sha256", kEmptyHash},
                                             {"x-amz-date", "20130524T000000Z"}},
                                 .body_hash = kEmptyHash};

  EXPECT_EQ(authorization(request, s3_key()),
            "AWS4-HMAC-SHA256 "
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Signature, OfPuttingAnObject) {
  const std::string hash = net::hex(net::sha256(as_bytes("Welcome to Amazon S3.")));
  const SignedRequest request = {.method = "PUT",
                                 .path = "/" + uri_encode("test$file.text", Slashes::kKeep),
                                 .query = {},
                                 .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                             {"Host", "examplebucket.s3.amazonaws.com"},
                                             {"x-amz-date", "20130524T000000Z"},
                                             {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                             {"x-amz-content-sha256", hash}},
                                 .body_hash = hash};

  EXPECT_EQ(signature_of(authorization(request, s3_key())),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(Signature, OfListingObjects) {
  const SignedRequest request = {.method = "GET",
                                 .path = "/",
                                 .query = {{"prefix", "J"}, {"max-keys", "2"}},
                                 .headers = {{"Host", "examplebucket.s3.amazonaws.com"},
                                             {"x-amz-date", "20130524T000000Z"},
                                             {"x-amz-content-sha256", kEmptyHash}},
                                 .body_hash = kEmptyHash};

  EXPECT_EQ(signature_of(authorization(request, s3_key())),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(Signature, OfAQueryWithoutAValue) {
  const SignedRequest request = {.method = "GET",
                                 .path = "/",
                                 .query = {{"lifecycle", ""}},
                                 .headers = {{"Host", "examplebucket.s3.amazonaws.com"},
                                             {"x-amz-date", "20130524T000000Z"},
                                             {"x-amz-content-sha256", kEmptyHash}},
                                 .body_hash = kEmptyHash};

  EXPECT_EQ(signature_of(authorization(request, s3_key())),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

struct Vector {
  const char* name;
  const char* method;
  NamedTexts query;
  NamedTexts headers;
  const char* signature;
};

class SignatureSuite : public ::testing::TestWithParam<Vector> {};

TEST_P(SignatureSuite, IsAsAwsSaysIt) {
  const Vector& vector = GetParam();
  SignedRequest request = {
      .method = vector.method,
      .path = "/",
      .query = vector.query,
      .headers = {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
      .body_hash = kEmptyHash};
  request.headers.insert(request.headers.end(), vector.headers.begin(), vector.headers.end());

  EXPECT_EQ(signature_of(authorization(request, suite_key())), vector.signature);
}

INSTANTIATE_TEST_SUITE_P(
    Aws, SignatureSuite,
    ::testing::Values(Vector{"get_vanilla",
                             "GET",
                             {},
                             {},
                             "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
                      Vector{"post_vanilla",
                             "POST",
                             {},
                             {},
                             "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
                      Vector{"get_vanilla_query_order_key",
                             "GET",
                             {{"Param2", "value2"}, {"Param1", "value1"}},
                             {},
                             "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
                      Vector{"get_header_value_trim",
                             "GET",
                             {},
                             {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
                             "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"}),
    [](const auto& tested) { return tested.param.name; });

TEST(AmzDate, IsUtcToTheSecond) {
  EXPECT_EQ(amz_date(os::WallTime(std::chrono::milliseconds(1'369'353'600'999))),
            "20130524T000000Z");
}

TEST(UriEncode, LeavesUnreservedCharacters) {
  EXPECT_EQ(uri_encode("a/b c=~\xc3\xa9", Slashes::kKeep), "a/b%20c%3D~%C3%A9");
  EXPECT_EQ(uri_encode("a/b", Slashes::kEncode), "a%2Fb");
}

}  // namespace
}  // namespace penstock::sinks
