#include "core/text_buffer.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(TextBuffer, PutsOneBehindTheOther) {
  TextBuffer buffer;

  buffer.clear(200);
  buffer.put('[');
  buffer.put_json_number(std::numeric_limits<std::int64_t>::min());
  buffer.put(',');
  buffer.put_json_number(0.1);
  buffer.put(",");
  buffer.put_json_string("a/b");
  buffer.put("]");

  EXPECT_EQ(buffer.text(), R"([-9223372036854775808,0.1,"a/b"])");
}

TEST(TextBuffer, ForgetsAndGrows) {
  TextBuffer buffer;
  buffer.clear(1);
  buffer.put('x');

  buffer.clear(1000);
  buffer.put(std::string(1000, 'y'));

  EXPECT_EQ(buffer.text(), std::string(1000, 'y'));
}

TEST(TextBuffer, WritesWhatJsonHasNotAsNull) {
  TextBuffer buffer;

  buffer.clear(100);
  buffer.put_json_number(std::numeric_limits<double>::infinity());
  buffer.put_json_number(std::numeric_limits<double>::quiet_NaN());

  EXPECT_EQ(buffer.text(), "nullnull");
}

TEST(TextBuffer, EscapesAtEveryPlaceOfAString) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char special : {'"', '\\', '\0', '\x1f'}) {
        std::string text(size, '\x7f');
        text[at] = special;
        TextBuffer buffer;

        buffer.clear(TextBuffer::json_string_size_max(size));
        buffer.put_json_string(text);

        EXPECT_GT(buffer.text().size(), size + 2) << "size " << size << ", at " << at;
      }
    }
  }
}

TEST(TextBuffer, HasRoomForTheLongestEscapes) {
  const std::string text(50, '\x01');
  TextBuffer buffer;

  buffer.clear(TextBuffer::json_string_size_max(text.size()));
  buffer.put_json_string(text);

  EXPECT_EQ(buffer.text().size(), TextBuffer::json_string_size_max(text.size()));
}

}  // namespace
}  // namespace penstock
