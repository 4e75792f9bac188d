// RedisReply is one answer of a Redis server, the same for RESP2 and RESP3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::sinks {

struct RedisReply {
  enum class Kind { kNull, kText, kInteger, kArray, kError };

  Kind kind = Kind::kNull;
  std::string text;  // of kText, and the message of kError
  std::int64_t integer = 0;
  std::vector<RedisReply> elements;

  [[nodiscard]] bool is_error() const { return kind == Kind::kError; }

  // The text of an element; empty if there is none.
  [[nodiscard]] std::string text_at(std::size_t index) const {
    return index < elements.size() ? elements[index].text : std::string();
  }
};

}  // namespace penstock::sinks
