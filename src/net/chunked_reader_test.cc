#include "net/chunked_reader.h"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace penstock::net {
namespace {

struct Read {
  std::string body;
  std::size_t left = 0;  // input behind the end
};

// Absent if the input is malformed or does not end.
std::optional<Read> read(std::string_view text, std::size_t piece_size) {
  ChunkedReader reader;
  Read result;
  for (std::size_t at = 0; at < text.size(); at += piece_size) {
    ByteView in = as_bytes(text.substr(at, piece_size));
    ByteView data;
    for (;;) {
      const ChunkedReader::Step step = reader.next(in, data);
      if (step == ChunkedReader::Step::kData) {
        result.body += as_text(data);
      } else if (step == ChunkedReader::Step::kEnd) {
        result.left = in.size() + text.size() - std::min(text.size(), at + piece_size);
        return result;
      } else if (step == ChunkedReader::Step::kMalformed) {
        return std::nullopt;
      } else {
        break;
      }
    }
  }
  return std::nullopt;
}

TEST(ChunkedReader, JoinsChunksWhereverTheInputIsCut) {
  const std::string text =
      "5\r\nhello\r\n1;x=\"y\"\r\n \r\n00A\r\n0123456789\r\n0\r\nT: v\r\n\r\nGET";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto result = read(text, piece);

    ASSERT_TRUE(result.has_value()) << piece;
    EXPECT_EQ(result->body, "hello 0123456789");
    EXPECT_EQ(result->left, 3U);
  }
}

TEST(ChunkedReader, AnEmptyBodyIsABody) {
  EXPECT_EQ(read("0\r\n\r\n", 100)->body, "");
}

TEST(ChunkedReader, NoPrefixOfABodyIsComplete) {
  const std::string text = "5\r\nhello\r\n0\r\nT: v\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(read(text.substr(0, size), 3).has_value()) << size;
  }
}

TEST(ChunkedReader, StaysMalformed) {
  ChunkedReader reader;
  ByteView in = as_bytes("x\r\n0\r\n\r\n");
  ByteView data;
  EXPECT_EQ(reader.next(in, data), ChunkedReader::Step::kMalformed);
  EXPECT_EQ(reader.next(in, data), ChunkedReader::Step::kMalformed);

  reader.reset();
  in = as_bytes("0\r\n\r\n");
  EXPECT_EQ(reader.next(in, data), ChunkedReader::Step::kEnd);
}

}  // namespace
}  // namespace penstock::net
