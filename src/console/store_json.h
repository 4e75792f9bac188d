// How stores and what is found in them are written in answers.
//
// An aggregate: {"key":[200],"window_start":"...","window_end":"...","count":12,
//                "sum":{"/bytes":3456}}, `min`, `max` and `avg` like `sum`.
// A table:      {"key":["seattle"],"value":<the
// event>,"timestamp":"...","partition":0,"offset":17}. Key parts keep their JSON type; integers are
// exact, doubles the shortest text that reads back.
#pragma once

#include <string>

#include "core/json_writer.h"
#include "store/query.h"

namespace penstock::console {

void write_json(JsonWriter& json, const store::StoreDescription& description);

// {"entries":[...],"cursor":"..."|null,"complete_to":{"<topic>":{"<partition>":<offset>}}}.
[[nodiscard]] std::string to_json(const store::StoreAnswer& answer);

}  // namespace penstock::console
