#include "kafka/client_settings.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace penstock::kafka {
namespace {

Options some_options() {
  Options options;
  options.bootstrap_servers = "127.0.0.1:1";
  return options;
}

std::string value_of(const ConfHandle& conf, const char* key) {
  std::array<char, 256> value{};
  std::size_t size = value.size();
  EXPECT_EQ(rd_kafka_conf_get(conf.get(), key, value.data(), &size), RD_KAFKA_CONF_OK) << key;
  return value.data();
}

TEST(ClientSettings, SetWhatExactlyOnceNeeds) {
  const auto producer =
      make_conf(some_options(), ClientKind::kTransactional, {.transactional_id = "tx"});
  const auto member =
      make_conf(some_options(), ClientKind::kMember, {.group_id = "g", .instance_id = "host-1"});

  ASSERT_TRUE(producer);
  ASSERT_TRUE(member);
  EXPECT_EQ(value_of(*producer, "enable.idempotence"), "true");
  EXPECT_EQ(value_of(*producer, "transactional.id"), "tx");
  EXPECT_EQ(value_of(*member, "isolation.level"), "read_committed");
  EXPECT_EQ(value_of(*member, "enable.auto.commit"), "false");
  EXPECT_EQ(value_of(*member, "partition.assignment.strategy"), "range");
  EXPECT_EQ(value_of(*member, "group.instance.id"), "host-1");
}

TEST(ClientSettings, PassOnWhatTheOperatorAdds) {
  Options options = some_options();
  options.client_settings = {{"security.protocol", "sasl_ssl"}, {"compression.type", "zstd"}};

  const auto conf = make_conf(options, ClientKind::kAppender, {});

  ASSERT_TRUE(conf);
  EXPECT_EQ(value_of(*conf, "security.protocol"), "sasl_ssl");
  EXPECT_EQ(value_of(*conf, "compression.type"), "zstd");
}

struct Refused {
  std::string key;
  std::string value;
};

TEST(ClientSettings, RefuseByNameWhatIsUnknownOursOrWrong) {
  for (const Refused& refused :
       {Refused{"security.protokoll", "s3cret"}, Refused{"isolation.level", "read_uncommitted"},
        Refused{"enable.idempotence", "false"}, Refused{"security.protocol", "s3cret"}}) {
    Options options = some_options();
    options.client_settings = {{refused.key, refused.value}};

    const Status checked = check_options(options);

    ASSERT_FALSE(checked) << refused.key;
    EXPECT_EQ(checked.error().code(), ErrorCode::kInvalid);
    EXPECT_NE(checked.error().message().find(refused.key), std::string::npos);
    EXPECT_EQ(checked.error().message().find("s3cret"), std::string::npos) << "shows a value";
  }
}

TEST(ClientSettings, RefuseReplicasThatCannotBe) {
  Options options = some_options();
  options.replication_factor = 1;
  options.min_insync_replicas = 2;
  EXPECT_FALSE(check_options(options));

  options.min_insync_replicas = 1;
  EXPECT_TRUE(check_options(options));
}

}  // namespace
}  // namespace penstock::kafka
