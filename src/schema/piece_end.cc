#include "schema/piece_end.h"

#include <algorithm>

namespace penstock {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool is_opener(char c) {
  return c == '{' || c == '[';
}

bool is_closer(char c) {
  return c == '}' || c == ']';
}

bool is_stray(char c) {
  return c == ',' || c == ':' || is_closer(c);
}

// Behind a run of commas, colons and closing brackets.
std::size_t skip_stray(std::string_view body, std::size_t at) {
  std::size_t end = at;
  for (; at < body.size() && (is_blank(body[at]) || is_stray(body[at])); ++at) {
    end = is_stray(body[at]) ? at + 1 : end;
  }
  return end;
}

// At the character behind the backslash at `at`, if it is on the same line.
std::size_t skip_escaped(std::string_view body, std::size_t at) {
  return at + 1 < body.size() && body[at + 1] != '\n' ? at + 1 : at;
}

// White space in front of `at`, if nothing else is before it on its line; 0 otherwise.
std::size_t indent_of(std::string_view body, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && is_blank(body[begin - 1])) {
    --begin;
  }
  return begin == 0 || body[begin - 1] == '\n' ? at - begin : 0;
}

struct Line {
  std::size_t text;    // position of its first byte that is not white space
  std::size_t indent;  // white space before it
};

// The first line with text from `at`, the beginning of a line, on.
Line next_line(std::string_view body, std::size_t at) {
  std::size_t begin = at;
  while (at < body.size() && (is_blank(body[at]) || body[at] == '\n')) {
    begin = body[at] == '\n' ? at + 1 : begin;
    ++at;
  }
  return {at, at - begin};
}

// Whether something new begins with `c` at the beginning of a line.
bool begins_anew(char c, PieceEndFinder::Place place) {
  return place == PieceEndFinder::Place::kInList ? c == '{' : !is_stray(c) && c != '"';
}

}  // namespace

PieceEndFinder::End PieceEndFinder::find(std::string_view body, std::size_t begin, Place place) {
  if (place == Place::kTop && is_stray(body[begin])) {
    return {skip_stray(body, begin), false};
  }
  if (place == Place::kTop && !is_opener(body[begin])) {
    return {std::min(body.find('\n', begin), body.size()), false};
  }
  return find_bracketed(body, begin, place);
}

PieceEndFinder::End PieceEndFinder::find_bracketed(std::string_view body, std::size_t begin,
                                                   Place place) {
  const bool in_list = place == Place::kInList;
  const std::size_t indent = indent_of(body, begin);
  open_.clear();
  open_braces_ = 0;
  bool in_string = false;
  for (std::size_t at = begin; at < body.size(); ++at) {
    const char c = body[at];
    if (c == '\n') {
      in_string = false;
      const Line line = next_line(body, at + 1);
      if (line.text < body.size() && line.indent <= indent && begins_anew(body[line.text], place)) {
        return {at, in_list};
      }
      at = line.text - 1;
    } else if (c == '\\') {
      at = skip_escaped(body, at);
    } else if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      continue;
    } else if (in_list && open_.empty() && (c == ',' || c == ']')) {
      return {at, false};
    } else if (is_opener(c)) {
      open(c);
    } else if (is_closer(c)) {
      close(c);
      if (open_.empty() && !in_list) {
        return {at + 1, false};
      }
    }
  }
  return {body.size(), false};
}

void PieceEndFinder::open(char opener) {
  open_ += opener;
  open_braces_ += opener == '{' ? 1 : 0;
}

// Pops up to the bracket that `closer` belongs to; a closer without one is passed over.
void PieceEndFinder::close(char closer) {
  const char opener = closer == '}' ? '{' : '[';
  const std::size_t matching = closer == '}' ? open_braces_ : open_.size() - open_braces_;
  if (matching == 0) {
    return;
  }
  while (open_.back() != opener) {
    open_braces_ -= open_.back() == '{' ? 1 : 0;
    open_.pop_back();
  }
  open_braces_ -= closer == '}' ? 1 : 0;
  open_.pop_back();
}

}  // namespace penstock
