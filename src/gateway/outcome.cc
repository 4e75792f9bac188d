#include "gateway/outcome.h"

#include <numeric>

#include "core/check.h"
#include "core/json_writer.h"

namespace penstock::gateway {

std::string_view to_string(DeadLetterReason reason) {
  switch (reason) {
    case DeadLetterReason::kInvalidJson:
      return "invalid_json";
    case DeadLetterReason::kInvalidUtf8:
      return "invalid_utf8";
    case DeadLetterReason::kTooDeep:
      return "too_deep";
    case DeadLetterReason::kTooLarge:
      return "too_large";
    case DeadLetterReason::kNotAnObject:
      return "not_an_object";
    case DeadLetterReason::kMissingKey:
      return "missing_key";
  }
  PENSTOCK_CHECK(false);
  return "";
}

std::uint64_t Outcome::dead_lettered() const {
  return std::accumulate(dead_letters.begin(), dead_letters.end(), std::uint64_t{0});
}

void Outcome::add_dead_letter(DeadLetterReason reason, std::uint64_t index,
                              std::string_view message, std::size_t errors_max) {
  ++dead_letters[static_cast<std::size_t>(reason)];
  if (errors_listed == errors_max) {
    return;
  }
  ++errors_listed;
  if (!errors.empty()) {
    errors += ',';
  }
  JsonWriter json(errors);
  json.begin_object().key("index").value(index).key("code").value(to_string(reason));
  json.key("message").value(message).end_object();
}

void Outcome::append_json(std::string& to) const {
  const std::uint64_t dead = dead_lettered();
  JsonWriter json(to);
  json.begin_object().key("accepted").value(accepted).key("duplicates").value(duplicates);
  json.key("dead_lettered").value(dead).key("errors").begin_array();
  to += errors;
  json.end_array();
  if (dead > errors_listed) {
    json.key("errors_omitted").value(dead - errors_listed);
  }
  json.end_object();
}

}  // namespace penstock::gateway
