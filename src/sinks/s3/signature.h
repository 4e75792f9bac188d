// AWS Signature Version 4: proves to an S3 server who sends a request, and that nobody changed it.
//
// Every header given is signed, and so is the body, by its SHA-256.
//
// Threads   any; plain functions.
// Source    AWS, "Signature Version 4 signing process"; tested with AWS's own vectors
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/clock.h"

namespace penstock::sinks {

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

struct SignedRequest {
  std::string method;
  std::string path;       // "/a/b", encoded by uri_encode()
  NamedTexts query;       // not encoded
  NamedTexts headers;     // with host and x-amz-date
  std::string body_hash;  // the SHA-256 of the body in hex
};

struct SigningKey {
  std::string access_key_id;
  std::string secret_access_key;
  std::string region;
  std::string service = "s3";
};

// The value of the header Authorization.
[[nodiscard]] std::string authorization(const SignedRequest& request, const SigningKey& key);

// "20130524T000000Z", for the header x-amz-date.
[[nodiscard]] std::string amz_date(os::WallTime time);

// All but unreserved characters as %XX; '/' as well, if asked for.
enum class Slashes { kKeep, kEncode };
[[nodiscard]] std::string uri_encode(std::string_view text, Slashes slashes);

// "a=b&c=", encoded and in the order that the signature wants.
[[nodiscard]] std::string canonical_query(const NamedTexts& query);

}  // namespace penstock::sinks
