#include "net/host.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace penstock::net {
namespace {

TEST(Host, TakesNamesAddressesAndPorts) {
  for (const std::string_view text :
       {"", "h", "example.org", "example.org:80", "h:", ":80", "127.0.0.1:8080", "[::1]",
        "[::1]:80", "[fe80::1.2.3.4]", "[v1.x:y]", "a%20b", "a_b~!$&'()*+,;=c"}) {
    EXPECT_TRUE(is_host(text)) << text;
  }
}

TEST(Host, RefusesAllElse) {
  for (const std::string_view text :
       {"a b", "a/b",  "a\\b",  "u@h", "a?b",    "a#b",     "h:http", "h:1:2",
        "::1", "[::1", "::1]",  "[]",  "[::1]x", "[::1]:x", "[a/b]",  "h%",
        "h%1", "h%zz", "\"h\"", "<h>", "h\xff",  "h:-1"}) {
    EXPECT_FALSE(is_host(text)) << text;
  }
  EXPECT_FALSE(is_host(std::string_view("h\0", 2)));
}

}  // namespace
}  // namespace penstock::net
