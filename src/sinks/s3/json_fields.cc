#include "sinks/s3/json_fields.h"

#include "core/check.h"
#include "schema/json_extractor.h"

namespace penstock::sinks {

std::vector<std::optional<std::string>> json_fields(
    std::string_view document, std::initializer_list<std::string_view> pointers) {
  std::vector<JsonPointer> parsed;
  for (const std::string_view text : pointers) {
    auto pointer = JsonPointer::parse(text);
    PENSTOCK_CHECK(pointer.has_value());
    parsed.push_back(*std::move(pointer));
  }
  const ExtractPlan plan = ExtractPlan::compile(parsed);
  JsonExtractor extractor(plan);
  extractor.add(as_bytes(document));
  extractor.run();
  std::vector<std::optional<std::string>> fields;
  std::string scratch;
  for (const JsonValue& value : extractor.values(0)) {
    const auto text = key_text(value, scratch);
    fields.push_back(text.has_value() ? std::optional<std::string>(*text) : std::nullopt);
  }
  return fields;
}

}  // namespace penstock::sinks
