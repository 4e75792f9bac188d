#include "schema/json_number.h"

namespace penstock {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Skips digits; false if there is none.
bool digits(const char*& at, const char* end) {
  const char* const begin = at;
  while (at != end && is_digit(*at)) {
    ++at;
  }
  return at != begin;
}

}  // namespace

bool is_json_number_slow(const char* text, std::size_t size) {
  const char* at = text;
  const char* const end = text + size;
  if (at != end && *at == '-') {
    ++at;
  }
  if (at != end && *at == '0') {
    ++at;
  } else if (!digits(at, end)) {
    return false;
  }
  if (at != end && *at == '.') {
    ++at;
    if (!digits(at, end)) {
      return false;
    }
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) {
      ++at;
    }
    if (!digits(at, end)) {
      return false;
    }
  }
  return at == end;
}

}  // namespace penstock
