#include "sinks/redis/key_slot.h"

#include <array>
#include <cstddef>

namespace penstock::sinks {
namespace {

constexpr std::uint32_t kPolynomial = 0x1021;

constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 0x8000) != 0 ? (crc << 1) ^ kPolynomial : crc << 1;
    }
    table[byte] = static_cast<std::uint16_t>(crc);
  }
  return table;
}

constexpr std::array<std::uint16_t, 256> kTable = make_table();

}  // namespace

std::uint16_t key_slot(std::string_view key) {
  const std::size_t begin = key.find('{');
  const std::size_t end = key.find('}', begin == std::string_view::npos ? begin : begin + 1);
  if (end != std::string_view::npos && end > begin + 1) {
    key = key.substr(begin + 1, end - begin - 1);
  }
  std::uint32_t crc = 0;
  for (const char c : key) {
    crc = ((crc << 8) ^ kTable[((crc >> 8) ^ static_cast<std::uint8_t>(c)) & 0xff]) & 0xffff;
  }
  return static_cast<std::uint16_t>(crc % kSlotCount);
}

}  // namespace penstock::sinks
