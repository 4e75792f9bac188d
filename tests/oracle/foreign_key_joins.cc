// Tables joined with tables whose key is in their value.
#include <utility>

#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

[[nodiscard]] dsl::TableJoined joined() {
  return dsl::TableJoined("fk");
}

[[nodiscard]] std::optional<Text> letter_of(const Text& value) {
  return letter(&value);
}

// Some left records have no foreign key.
[[nodiscard]] std::optional<Text> not_a(const Text& value) {
  const std::optional<Text> key = letter(&value);
  return key == "a" ? std::nullopt : key;
}

template <typename Extractor>
void inner(dsl::StreamBuilder& builder, Extractor extractor) {
  table(builder, "left")
      .join(table(builder, "right"), extractor, pair_both, joined(), Materialized("joined"))
      .to_stream()
      .to("out");
}

template <typename Extractor>
[[nodiscard]] auto left(dsl::StreamBuilder& builder, Extractor extractor) {
  return table(builder, "left")
      .left_join(table(builder, "right"), extractor, pair_texts, joined(), Materialized("joined"));
}

void inner_by_letter(dsl::StreamBuilder& builder) {
  inner(builder, letter_of);
}

void left_by_letter(dsl::StreamBuilder& builder) {
  left(builder, letter_of).to_stream().to("out");
}

constexpr Program kPrograms[] = {
    {"foreign_key_inner", inner_by_letter},
    {"foreign_key_left", left_by_letter},
    {"foreign_key_inner_cached", inner_by_letter},
    {"foreign_key_left_cached", left_by_letter},
    {"foreign_key_inner_some_null", [](dsl::StreamBuilder& builder) { inner(builder, not_a); }},
    {"foreign_key_left_some_null",
     [](dsl::StreamBuilder& builder) { left(builder, not_a).to_stream().to("out"); }},
    {"foreign_key_of_key_and_value",
     [](dsl::StreamBuilder& builder) {
       inner(builder, [](const Text& key, const Text& value) {
         return number_of(&value) % 2 == 0 ? std::optional(key) : letter(&value);
       });
     }},
    {"foreign_key_counted",
     [](dsl::StreamBuilder& builder) {
       left(builder, letter_of)
           .group_by([](const Text& /*key*/, const Text& value) {
             return std::pair(value.substr(value.find('+') + 1), value);
           })
           .count(Materialized("counts"))
           .to_stream()
           .to("out");
     }},
};

}  // namespace

Programs foreign_key_joins() {
  return kPrograms;
}

}  // namespace penstock::oracle
