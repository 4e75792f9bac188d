#include "config/settings.h"

#include <algorithm>

namespace penstock::config {

bool is_any_text(std::string_view text) {
  return !text.empty();
}

bool is_backend(std::string_view text) {
  return text == "embedded" || text == "kafka";
}

bool is_log_level(std::string_view text) {
  return text == "debug" || text == "info" || text == "warn" || text == "error";
}

bool is_log_format(std::string_view text) {
  return text == "text" || text == "json";
}

bool is_listen_address(std::string_view text) {
  return parse_listen(text).has_value();
}

// RFC 6901; the empty pointer, which means the whole event, is no use as a key and not taken.
bool is_json_pointer(std::string_view text) {
  if (!text.starts_with('/')) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) {
      return false;
    }
  }
  return true;
}

bool is_name(std::string_view text) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= 200 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), legal);
}

}  // namespace penstock::config
