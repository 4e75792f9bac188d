// The names of settings as environment variables: PENSTOCK_HTTP_LISTEN is [http] listen.
#pragma once

#include <map>
#include <string>

namespace penstock::config {

// Variable -> "section.key", for every setting that a variable can give: those of [single]
// sections.
[[nodiscard]] std::map<std::string, std::string> setting_variables();

}  // namespace penstock::config
