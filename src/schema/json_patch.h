// JsonPatch is a list of edits of a JSON document, as people write them down to mend events:
//
//   [{"op": "replace", "path": "/total", "value": 12.50}, {"op": "remove", "path": "/note"}]
//
// All of them are done, in order, or none. Source: RFC 6902.
//
// Threads   a value; apply() from any.
// Errors    of parse()  kInvalid  not a patch: says which operation, and why
//           of apply()  kInvalid  the document is not JSON, or an operation does not fit it
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json_tree.h"
#include "core/result.h"
#include "schema/json_pointer.h"

namespace penstock {

class JsonPatch {
 public:
  [[nodiscard]] static Result<JsonPatch> parse(std::string_view json);
  [[nodiscard]] static Result<JsonPatch> from(const JsonTree& operations);

  [[nodiscard]] Result<std::string> apply(std::string_view document) const;

 private:
  enum class Kind { kAdd, kRemove, kReplace, kMove, kCopy, kTest };

  struct Operation {
    Kind kind;
    JsonPointer path;
    JsonPointer from;  // of kMove and kCopy
    JsonTree value;    // of kAdd, kReplace and kTest
  };

  [[nodiscard]] static Result<Operation> read(const JsonTree& operation);
  [[nodiscard]] static Status apply(const Operation& operation, JsonTree& document);

  std::vector<Operation> operations_;
};

}  // namespace penstock
