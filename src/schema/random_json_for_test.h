// Random JSON for tests: the same seed gives the same texts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "os/random.h"

namespace penstock {

class RandomJson {
 public:
  explicit RandomJson(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_.below(bound); }

  bool one_in(std::size_t count) { return below(count) == 0; }

  std::string_view pick(const std::vector<std::string_view>& texts) {
    return texts[below(texts.size())];
  }

  // Any valid value; objects and arrays nest to at most `depth`.
  std::string value(std::size_t depth) {
    switch (below(depth == 0 ? 6 : 9)) {
      case 0:
        return std::string(pick({"true", "false", "null"}));
      case 1:
      case 2:
        return number();
      case 3:
      case 4:
      case 5:
        return string();
      case 6:
        return array(depth - 1);
      default:
        return object(depth - 1);
    }
  }

  std::string object(std::size_t depth) {
    std::string text = "{" + space();
    const std::size_t count = below(6);
    for (std::size_t i = 0; i < count; ++i) {
      text +=
          (i == 0 ? "" : ",") + space() + name() + space() + ":" + space() + value(depth) + space();
    }
    return text + "}";
  }

  std::string array(std::size_t depth) {
    std::string text = "[" + space();
    const std::size_t count = below(6);
    for (std::size_t i = 0; i < count; ++i) {
      text += (i == 0 ? "" : ",") + space() + value(depth) + space();
    }
    return text + "]";
  }

  // Few different ones, so that pointers match and duplicates happen; some with escapes.
  std::string name() {
    return std::string(
        pick({R"("a")", R"("b")", R"("c")", R"("\u0061")", R"("")", R"("0")", R"("1")", R"("a\/b")",
              R"("long name of more than eight")", R"("b\"")"}));
  }

  std::string number() {
    switch (below(4)) {
      case 0:
        return std::to_string(below(1000));
      case 1:
        return (one_in(2) ? "-" : "") + std::to_string(random_.next()) + "." +
               std::to_string(random_.next());
      case 2:
        return std::to_string(random_.next()) + std::to_string(random_.next());
      default:
        return std::to_string(below(10)) + std::string(pick({"e", "E", ".5e", ".0E"})) +
               std::string(pick({"", "+", "-"})) + std::to_string(below(40));
    }
  }

  std::string string() {
    std::string text = "\"";
    const std::size_t count = one_in(10) ? below(200) : below(12);
    for (std::size_t i = 0; i < count; ++i) {
      text += one_in(6)
                  ? std::string(pick({R"(\")", R"(\\)", R"(\/)", R"(\n)", R"(\u00e9)",
                                      R"(\uD83D\uDE00)", R"(\u0000)", "\xC3\xA9", "\xE2\x82\xAC",
                                      "\xF0\x9F\x98\x80", "{", "}", "[", "],", ":", " ", "\x7f"}))
                  : std::string(1, static_cast<char>('a' + below(26)));
    }
    return text + "\"";
  }

  std::string space() {
    return one_in(4) ? std::string(pick({" ", "  ", "\t", "\n", "\r\n", "\n\n  "})) : "";
  }

  // Changes one place of `text`.
  std::string mutated(std::string text) {
    const std::size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        text.erase(at, 1 + below(3));
        break;
      case 1:
        text.insert(at, pick({"\"",   "\\", "{",  "}",    "[",   "]",       ",",    ":",
                              " ",    "0",  "-",  ".",    "e",   "x",       "\x01", "\xFF",
                              "\xC3", "\n", "\t", "true", "\\u", "\\uD800", "/"}));
        break;
      case 2:
        text[at] = static_cast<char>(below(256));
        break;
      case 3:
        text[at] = text[below(text.size())];
        break;
      default:
        text.insert(at, text.substr(below(text.size()), below(10)));
        break;
    }
    return text;
  }

 private:
  os::SeededRandom random_;
};

}  // namespace penstock
