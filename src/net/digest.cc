#include "net/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "core/check.h"

namespace penstock::net {
namespace {

const unsigned char* data_of(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Sha256 sha256(ByteView bytes) {
  Sha256 digest{};
  const unsigned char* const done =
      SHA256(data_of(bytes), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()));
  PENSTOCK_CHECK(done != nullptr);
  return digest;
}

Sha256 hmac_sha256(ByteView key, ByteView bytes) {
  Sha256 digest{};
  unsigned int size = 0;
  const unsigned char* const done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data_of(bytes), bytes.size(),
           reinterpret_cast<unsigned char*>(digest.data()), &size);
  PENSTOCK_CHECK(done != nullptr && size == digest.size());
  return digest;
}

std::string hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<std::size_t>(byte >> 4)];
    text += kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

}  // namespace penstock::net
