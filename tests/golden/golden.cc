#include "golden/golden.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "os/file_system.h"

namespace penstock::golden {

std::string to_hex(ByteView bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", std::to_integer<unsigned>(bytes[i]));
    text += digits.data();
    text += (i % 16 == 15 || i + 1 == bytes.size()) ? '\n' : ' ';
  }
  return text;
}

void expect_golden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(PENSTOCK_SOURCE_DIR) + "/tests/golden/" + name;
  const auto files = os::make_posix_file_system();
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    const Status written = os::write_file_atomically(*files, path, as_bytes(actual));
    ASSERT_TRUE(written.has_value()) << written.error().message();
  }
  const Result<Bytes> expected = os::read_file(*files, path);
  ASSERT_TRUE(expected.has_value())
      << expected.error().message() << "; run once with UPDATE_GOLDEN=1";
  EXPECT_EQ(actual, as_text(*expected)) << "differs from " << path;
}

}  // namespace penstock::golden
