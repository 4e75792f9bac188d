// Steps without a store.
#include <string>
#include <utility>
#include <vector>

#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

using Texts = std::vector<Text>;

[[nodiscard]] bool is_even(const Text* value) {
  return number_of(value) % 2 == 0;
}

[[nodiscard]] std::optional<Text> copy(const Text* text) {
  return text == nullptr ? std::nullopt : std::optional(*text);
}

constexpr Program kPrograms[] = {
    {"stateless_filter",
     [](dsl::StreamBuilder& builder) { stream(builder, "in").filter(is_even).to("out"); }},
    {"stateless_filter_not",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .filter_not([](const Text* key, const Text*) { return key != nullptr && *key == "a"; })
           .to("out");
     }},
    {"stateless_map",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .map([](const Text*, const Text* value) {
             return std::pair(letter(value), number_of(value));
           })
           .to("out");
     }},
    {"stateless_map_values",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .map_values([](const Text* value) -> std::optional<Text> {
             return letter(value) == "b" ? std::nullopt
                                         : std::optional(shown_or_null(value) + "+x");
           })
           .to("out");
     }},
    {"stateless_map_values_with_key",
     [](dsl::StreamBuilder& builder) { stream(builder, "in").map_values(pair_texts).to("out"); }},
    {"stateless_flat_map",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .flat_map([](const Text* key, const Text* value) {
             std::vector<std::pair<std::int64_t, std::optional<Text>>> records;
             if (value != nullptr) {
               records.emplace_back(number_of(value), copy(key));
               records.emplace_back(-number_of(value), *value);
             }
             return records;
           })
           .to("out");
     }},
    {"stateless_flat_map_values",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .flat_map_values([](const Text* key, const Text* value) {
             return value == nullptr ? Texts() : Texts{*value, *letter(value), pair(key, value)};
           })
           .to("out");
     }},
    {"stateless_select_key",
     [](dsl::StreamBuilder& builder) { stream(builder, "in").select_key(letter).to("out"); }},
    {"stateless_branch",
     [](dsl::StreamBuilder& builder) {
       auto [small, even, rest] =
           stream(builder, "in")
               .split([](const Text* value) { return number_of(value) < 30; }, is_even);
       small.to("small");
       even.to("even");
       rest.to("rest");
     }},
    {"stateless_branch_no_default",
     [](dsl::StreamBuilder& builder) {
       auto [small, middle, rest] =
           stream(builder, "in")
               .split([](const Text* value) { return number_of(value) < 30; },
                      [](const Text* value) { return number_of(value) < 60; });
       small.merge(middle.map_values([](const Text* value) { return "m+" + shown_or_null(value); }))
           .to("out");
     }},
    {"stateless_merge",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "left")
           .map_values([](const Text* value) { return "left+" + shown_or_null(value); })
           .merge(stream(builder, "right").map_values([](const Text* value) {
             return "right+" + shown_or_null(value);
           }))
           .to("out");
     }},
    {"stateless_two_sinks",
     [](dsl::StreamBuilder& builder) {
       const dsl::Stream<Text, Text> in =
           stream(builder, "in").peek([](const Text* /*key*/, const Text* /*value*/) {});
       in.to("all");
       in.filter([](const Text* key, const Text*) {
           return key != nullptr && *key == "a";
         }).to("a");
     }},
    {"stateless_chain",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .filter([](const Text* value) { return value != nullptr; })
           .map_values([](const Text& value) {
             return *letter(&value) + std::to_string(number_of(&value) + 1);
           })
           .flat_map_values([](const Text& value) {
             return Texts{value, value + value};
           })
           .select_key(letter)
           .peek([](const Text& /*value*/) {})
           .filter_not([](const Text& value) { return value.size() > 5; })
           .map([](const Text& key, const Text& value) { return std::pair(key + key, value); })
           .to("out");
     }},
    {"stateless_topic_of_record",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in").to({"even", "odd"}, [](const Text* value) {
         return is_even(value) ? Text("even") : Text("odd");
       });
     }},
    {"stateless_headers",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in")
           .flat_map_values([](const Text* value) {
             return Texts{shown_or_null(value) + "+1", shown_or_null(value) + "+2"};
           })
           .filter([](const Text* key, const Text*) { return key != nullptr; })
           .to("out");
     }},
};

}  // namespace

Programs stateless() {
  return kPrograms;
}

}  // namespace penstock::oracle
