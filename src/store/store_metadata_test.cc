#include "store/store_metadata.h"

#include <gtest/gtest.h>

namespace penstock::store {
namespace {

StoreMetadata some() {
  StoreMetadata metadata;
  metadata.definition = 4'000'000'000;
  metadata.stream_time = Timestamp(-5);
  metadata.dropped_before = Timestamp(1'700'000'000'000);
  metadata.changes_from = Offset(17);
  metadata.complete = {{PartitionId(0), Offset(3)}, {PartitionId(11), Offset(0)}};
  return metadata;
}

TEST(StoreMetadata, ComesBack) {
  const std::string text = format_store_metadata(some());

  EXPECT_EQ(*parse_store_metadata(text, "s", 4'000'000'000), some());
}

TEST(StoreMetadata, OfNothingYetComesBack) {
  EXPECT_EQ(*parse_store_metadata(format_store_metadata({}), "s", 0), StoreMetadata());
}

TEST(StoreMetadata, OfAnotherDefinitionIsRefusedByName) {
  const auto parsed = parse_store_metadata(format_store_metadata(some()), "per_user", 1);

  EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalid);
  EXPECT_NE(parsed.error().message().find("per_user"), std::string::npos);
}

TEST(StoreMetadata, SkipsWhatLaterVersionsAdd) {
  EXPECT_TRUE(parse_store_metadata("d=0,zz=5,t=3", "s", 0).has_value());
}

TEST(StoreMetadata, MalformedTextIsRefused) {
  for (const char* text : {"", "t=3", "d=", "d=x", "d=0,t", "d=0,=3", "d=0,px=3", "d=0,t=3x"}) {
    EXPECT_EQ(parse_store_metadata(text, "s", 0).error().code(), ErrorCode::kInvalid) << text;
  }
}

}  // namespace
}  // namespace penstock::store
