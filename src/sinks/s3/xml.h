// The little of XML that S3's answers need: elements by name, their text.
//
// Names are compared as they are written, without name spaces; comments and CDATA do not occur in
// what S3 servers send.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::sinks {

// The contents of each element of that name, in order, whatever they are nested in.
[[nodiscard]] std::vector<std::string_view> xml_elements(std::string_view xml,
                                                         std::string_view name);

// The text of the first such element, entities resolved; empty if there is none.
[[nodiscard]] std::string xml_text(std::string_view xml, std::string_view name);

// The name of the outermost element; empty if it is not XML.
[[nodiscard]] std::string_view xml_root(std::string_view xml);

[[nodiscard]] std::string xml_escape(std::string_view text);

}  // namespace penstock::sinks
