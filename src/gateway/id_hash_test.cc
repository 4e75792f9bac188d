#include "gateway/id_hash.h"

#include <string>

#include <gtest/gtest.h>

namespace penstock::gateway {
namespace {

// Key 00 01 .. 0f and input 00 01 .. (n-1), as in the reference implementation's vectors; the
// values are those of OpenSSL's SIPHASH with 16 bytes of output.
std::string hash_of_first(std::size_t count) {
  std::array<std::byte, 16> key{};
  Bytes input;
  for (std::size_t i = 0; i < std::max<std::size_t>(count, key.size()); ++i) {
    if (i < key.size()) {
      key[i] = static_cast<std::byte>(i);
    }
    if (i < count) {
      input.push_back(static_cast<std::byte>(i));
    }
  }
  const IdHash hash = IdHasher(key)(input);
  std::array<std::byte, 16> bytes{};
  store_le(bytes.data(), hash.low);
  store_le(bytes.data() + 8, hash.high);
  std::string hex;
  for (const std::byte byte : bytes) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    hex += kDigits[std::to_integer<std::size_t>(byte) >> 4];
    hex += kDigits[std::to_integer<std::size_t>(byte) & 15];
  }
  return hex;
}

TEST(IdHasher, AgreesWithTheReference) {
  EXPECT_EQ(hash_of_first(0), "A3817F04BA25A8E66DF67214C7550293");
  EXPECT_EQ(hash_of_first(1), "DA87C1D86B99AF44347659119B22FC45");
  EXPECT_EQ(hash_of_first(7), "A1F1EBBED8DBC153C0B84AA61FF08239");
  EXPECT_EQ(hash_of_first(8), "3B62A9BA6258F5610F83E264F31497B4");
  EXPECT_EQ(hash_of_first(15), "5493E99933B0A8117E08EC0F97CFC3D9");
  EXPECT_EQ(hash_of_first(36), "3DC47D1F29C448461E9E76ED904F6711");
}

}  // namespace
}  // namespace penstock::gateway
