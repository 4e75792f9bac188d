#include "core/text_buffer.h"

#include <string>

#include "core/json_writer.h"

namespace penstock {

void TextBuffer::put_json_string(std::string_view text) {
  PENSTOCK_DCHECK(room() >= json_string_size_max(text.size()));
  if (!needs_json_escape(text)) [[likely]] {
    put('"');
    put(text);
    put('"');
    return;
  }
  std::string escaped;
  append_json_string(escaped, text);
  put(escaped);
}

}  // namespace penstock
