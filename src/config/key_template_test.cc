#include "config/key_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "config/server_address.h"

namespace penstock::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = TemplatePart::Kind;

TEST(KeyTemplate, IsTextWithValuesInIt) {
  EXPECT_THAT(
      *parse_key_template("{app:%{partition}}:a%%b:%{/user/id}:%{key}"),
      ElementsAre(TemplatePart{Kind::kText, "{app:"}, TemplatePart{Kind::kPartition, ""},
                  TemplatePart{Kind::kText, "}:a%b:"}, TemplatePart{Kind::kValue, "/user/id"},
                  TemplatePart{Kind::kText, ":"}, TemplatePart{Kind::kKey, ""}));
  EXPECT_THAT(*parse_key_template("plain"), ElementsAre(TemplatePart{Kind::kText, "plain"}));
}

TEST(KeyTemplate, SaysNothingToWhatIsNone) {
  for (const char* bad : {"", "%", "50%", "%{", "%{/a", "%{a}", "%{}", "%{/a~2}", "%x{/a}"}) {
    EXPECT_FALSE(parse_key_template(bad).has_value()) << bad;
  }
}

TEST(KeyTemplate, HasAHashTagIfItDoesNotDependOnTheEvent) {
  const auto tag = [](const char* text) { return hash_tag(*parse_key_template(text), 7); };
  EXPECT_EQ(tag("{app}:%{/id}"), "app");
  EXPECT_EQ(tag("x{app:%{partition}}:%{/id}"), "app:7");
  EXPECT_EQ(tag("%{partition}{a}"), "a");
  EXPECT_EQ(tag("app:%{/id}"), std::nullopt);
  EXPECT_EQ(tag("%{/id}{app}"), std::nullopt);
  EXPECT_EQ(tag("{%{/id}}"), std::nullopt);
  EXPECT_EQ(tag("{app:%{key}}"), std::nullopt);
  EXPECT_EQ(tag("{}:%{/id}"), std::nullopt);
}

TEST(HashField, IsAPointerAndAName) {
  EXPECT_EQ(parse_hash_field("/a:b/c:name"), (HashField{"/a:b/c", "name"}));
  EXPECT_EQ(parse_hash_field(":all"), (HashField{"", "all"}));
  for (const char* bad : {"", "name", "/a:", "a:name", "/a~:name"}) {
    EXPECT_FALSE(parse_hash_field(bad).has_value()) << bad;
  }
}

TEST(ServerAddress, IsAHostAndAPort) {
  EXPECT_EQ(parse_server_address("redis.example.net:6379"),
            (ServerAddress{"redis.example.net", 6379}));
  EXPECT_EQ(parse_server_address("[2001:db8::1]:1"), (ServerAddress{"2001:db8::1", 1}));
  EXPECT_EQ(parse_server_address("2001:db8::1:6379"), (ServerAddress{"2001:db8::1", 6379}));
  EXPECT_EQ(to_string(ServerAddress{"2001:db8::1", 1}), "[2001:db8::1]:1");
  EXPECT_EQ(to_string(ServerAddress{"a", 2}), "a:2");
  for (const char* bad : {"", "a", ":1", "a:", "a:0", "a:65536", "a:1x", "[]:1"}) {
    EXPECT_FALSE(parse_server_address(bad).has_value()) << bad;
  }
}

// --- [[redis]] ----------------------------------------------------------------------------------

std::string complaint(const std::string& settings) {
  const auto parsed = parse_config(
      "[[topic]]\nname = \"web\"\n[[redis]]\nname = \"r\"\ntopic = \"web\"\n" + settings, "p.toml");
  return parsed ? "" : parsed.error().message();
}

constexpr const char* kServer = "servers = [\"a:1\"]\nkey = \"k:%{/id}\"\n";

TEST(RedisSettings, AreTakenWhereTheyFitTogether) {
  for (const char* good : {
           "",
           "fields = [\"/a:a\", \":all\"]",
           "mode = \"counter\"\nfield = \"%{/a}\"\nincrement = \"/n\"\nttl = \"1d\"",
           "mode = \"sorted_set\"\nmember = \"%{/a}\"\nscore = \"/n\"\nscore_update = \"max\"",
           "mode = \"session\"\nttl = \"1h\"\nfields = [\"/a:a\"]",
           "deployment = \"sentinel\"\nmaster = \"main\"\nsentinel_password = \"${env:X}\"",
           "tls = true\ntls_certificate_file = \"/c\"\ntls_key_file = \"/k\"",
       }) {
    EXPECT_EQ(complaint(std::string(kServer) + good), "") << good;
  }
  EXPECT_EQ(complaint("servers = [\"a:1\", \"b:1\"]\ndeployment = \"cluster\"\n"
                      "key = \"{app:%{partition}}:%{/id}\""),
            "");
}

struct Mistake {
  const char* settings;
  const char* complaint;
};

TEST(RedisSettings, AreComplainedAboutWhereTheyDoNot) {
  for (const Mistake& mistake : {
           Mistake{"mode = \"lates\"", "mode must be \"latest\", \"counter\""},
           Mistake{"deployment = \"cluster\"", "key must begin with a hash tag"},
           Mistake{"deployment = \"cluster\"\ndatabase = 1", "database must be 0"},
           Mistake{"deployment = \"sentinel\"", "master must be given where deployment is"},
           Mistake{"master = \"m\"", "master must be given where deployment is"},
           Mistake{"password = \"geheim\"", "password must be \"${env:NAME}\""},
           Mistake{"sentinel_password = \"geheim\"", "sentinel_password must be \"${env:NAME}\""},
           Mistake{"tls_ca_file = \"/ca\"", "tls must be true where certificates are given"},
           Mistake{"tls = true\ntls_key_file = \"/k\"", "tls_key_file must be given together"},
           Mistake{"increment = \"/n\"", "increment means nothing where mode is \"latest\""},
           Mistake{"field = \"x\"", "field means nothing where mode is \"latest\""},
           Mistake{"score_update = \"add\"", "score_update means nothing where mode is"},
           Mistake{"mode = \"sorted_set\"\nscore = \"/n\"", "member must be given"},
           Mistake{"mode = \"sorted_set\"\nmember = \"x\"", "score must be given"},
           Mistake{"mode = \"counter\"\nfields = [\"/a:a\"]", "fields means nothing where mode is"},
           Mistake{"mode = \"session\"", "ttl must be given where mode is \"session\""},
           Mistake{"fields = [\"/a:a\", \"/b:a\"]", "fields must not have \"a\" twice"},
           Mistake{"mode = \"session\"\nttl = \"1h\"\nfields = [\"/a:events\"]",
                   "fields must not have \"events\" twice"},
           Mistake{"protocol = 4", "protocol must be a whole number"},
           Mistake{"retry_wait_min = \"1m\"", "retry_wait_max must not be less than"},
           Mistake{
               "[[postgres]]\nname = \"r\"\ntopic = \"web\"\nconnection = \"x\"\ntable = \"t\"\n"
               "columns = [\":e:jsonb\"]",
               "must be a name of its own: there is another sink \"r\""},
       }) {
    EXPECT_THAT(complaint(std::string(kServer) + mistake.settings), HasSubstr(mistake.complaint));
  }
  EXPECT_THAT(complaint("servers = [\"a:1\", \"b:2\"]\nkey = \"%{/id}\""),
              HasSubstr("servers must be one where deployment is \"single\""));
  EXPECT_THAT(complaint("servers = [\"a\"]\nkey = \"%{id}\""),
              HasSubstr("servers must be a list of addresses"));
  EXPECT_THAT(complaint("servers = [\"a:1\"]\nkey = \"%{id}\""),
              HasSubstr("key must be a text with values of the event in it"));
}

}  // namespace
}  // namespace penstock::config
