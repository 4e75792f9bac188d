#include "config/settings.h"

#include <algorithm>

#include "config/column.h"
#include "config/key_template.h"
#include "config/server_address.h"

namespace penstock::config {

bool is_any_text(std::string_view text) {
  return !text.empty();
}

bool is_compression(std::string_view text) {
  return text == "lz4" || text == "none";
}

bool is_backend(std::string_view text) {
  return text == "embedded" || text == "kafka";
}

bool is_guarantee(std::string_view text) {
  return text == "exactly_once" || text == "at_least_once";
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

bool is_table_name(std::string_view text) {
  const std::size_t dot = text.find('.');
  return dot == std::string_view::npos
             ? is_sql_name(text)
             : is_sql_name(text.substr(0, dot)) && is_sql_name(text.substr(dot + 1));
}

bool is_sink_mode(std::string_view text) {
  return text == "append" || text == "upsert";
}

bool is_read_from(std::string_view text) {
  return text == "primary" || text == "replica";
}

bool is_synchronous(std::string_view text) {
  return text == "full" || text == "normal";
}

bool is_column(std::string_view text) {
  return parse_column(text).has_value();
}

bool is_column_name(std::string_view text) {
  return is_sql_name(text);
}

bool is_server_address(std::string_view text) {
  return parse_server_address(text).has_value();
}

bool is_deployment(std::string_view text) {
  return text == "single" || text == "sentinel" || text == "cluster";
}

bool is_redis_mode(std::string_view text) {
  return text == "latest" || text == "counter" || text == "sorted_set" || text == "session";
}

bool is_key_template(std::string_view text) {
  return parse_key_template(text).has_value();
}

bool is_hash_field(std::string_view text) {
  return parse_hash_field(text).has_value();
}

bool is_score_update(std::string_view text) {
  return text == "set" || text == "add" || text == "max" || text == "min";
}

bool is_bucket(std::string_view text) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  };
  return text.size() >= 3 && text.size() <= 63 && std::all_of(text.begin(), text.end(), legal);
}

bool is_http_url(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) {
      const std::string_view host = text.substr(scheme.size());
      return !host.empty() && host.find_first_of("/?#@ ") == std::string_view::npos;
    }
  }
  return false;
}

bool is_key_prefix(std::string_view text) {
  return text.empty() || (text.ends_with('/') && !text.starts_with('/') &&
                          text.find("//") == std::string_view::npos);
}

bool is_addressing(std::string_view text) {
  return text == "auto" || text == "path" || text == "host";
}

}  // namespace penstock::config
