#include "core/crc32c.h"

#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

// RFC 3720 appendix B.4.
TEST(Crc32c, MatchesTheTestVectorsOfTheStandard) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\0'))), 0x8a9136aaU);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\xff'))), 0x62a8ab43U);
  EXPECT_EQ(crc32c(ByteView()), 0U);
}

TEST(Crc32c, GoesOnOverSeveralPieces) {
  const std::string text(1000, 'x');
  const std::string more = "and more";
  const std::uint32_t whole = crc32c(as_bytes(text + more));

  EXPECT_EQ(crc32c(as_bytes(more), crc32c(as_bytes(text))), whole);
  EXPECT_EQ(crc32c(ByteView(), whole), whole);
}

}  // namespace
}  // namespace penstock
