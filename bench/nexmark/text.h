// Structs as text: '|' between fields, ',' between the elements of a list.
#pragma once

#include <string>
#include <type_traits>

#include "dsl/fields.h"

namespace penstock::nexmark {

template <typename T>
void add_text(const T& value, std::string& to) {
  if constexpr (dsl::HasFields<T>) {
    const char* before = "";
    dsl::with_fields(value, [&](const auto&... field) {
      ((to += before, add_text(field, to), before = "|"), ...);
    });
  } else if constexpr (dsl::internal::kIsList<T>) {
    const char* before = "";
    for (const auto& element : value) {
      to += before;
      add_text(element, to);
      before = ",";
    }
  } else if constexpr (std::is_same_v<T, std::string>) {
    to += value;
  } else {
    to += std::to_string(value);
  }
}

template <typename T>
[[nodiscard]] std::string to_text(const T& value) {
  std::string text;
  add_text(value, text);
  return text;
}

}  // namespace penstock::nexmark
