// JsonWalker checks one value of an indexed text against RFC 8259 and extracts what the plan asks
// for. Room-private: the inner loop of JsonScanner and JsonExtractor.
//
// It reads the token positions of StructuralIndex one after another. Between two of them there can
// be nothing but the rest of the first token and white space, so every byte is accounted for:
// brackets, commas and colons by the order of tokens, names and strings by their closing quote,
// numbers and literals in full. Control characters in strings and UTF-8 are the index's part.
//
// Invariants
//   I1  At most StructuralIndex::kSentinels positions behind the end of the index are read.
//   I2  At most PaddedBuffer::kPadding bytes behind the text are read; none of them matters.
// Threads   belongs to one thread.
// Lifetime  the plan outlives the walker's use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "schema/extract_plan.h"
#include "schema/json_error.h"
#include "schema/json_value.h"

namespace penstock {

// How much of a value is checked. kNeeded leaves out the inside of strings, numbers, literals and
// containers that nothing is extracted from: for documents that were checked before.
enum class JsonCheck { kAll, kNeeded };

class JsonWalker {
 public:
  // An indexed text and how far it has been read.
  struct Cursor {
    const char* base = nullptr;           // position 0
    const char* text_end = nullptr;       // the text that the index covers ends here
    const std::uint32_t* next = nullptr;  // the next token's position
    const std::uint32_t* end = nullptr;   // the first sentinel
    // No backslash between the last token read and here: strings that end before have no escapes.
    const char* next_escape = nullptr;

    [[nodiscard]] bool at_end() const { return next >= end; }

    [[nodiscard]] const char* at() const { return base + *next; }
  };

  enum class Outcome {
    kComplete,
    kCut,    // the text ended inside the value; what is wrong if it ends for good is in error_*()
    kError,  // see error_*()
  };

  explicit JsonWalker(std::uint32_t depth_max) : frames_(depth_max + 1) {}

  void set_plan(const ExtractPlan& plan) { plan_ = &plan; }

  // Walks the value at *cursor.next, which must be a token of the index. Writes one value per
  // pointer of the plan. `cursor.next` and `values` mean something only after kComplete.
  template <JsonCheck check>
  [[nodiscard]] Outcome walk(Cursor& cursor, JsonValue* values);

  // After kComplete: one past the last byte of the value.
  [[nodiscard]] const char* value_end() const { return value_end_; }

  [[nodiscard]] JsonErrorCode error_code() const { return error_code_; }

  [[nodiscard]] const char* error_message() const { return error_message_; }

  [[nodiscard]] const char* error_at() const { return error_at_; }

 private:
  template <JsonCheck check>
  class Walk;

  // An open container.
  struct Frame {
    const ExtractPlan::Node* node;  // null: nothing below it is asked for
    JsonValue* value;               // gets its end, if it is asked for itself
    std::uint32_t array_index;      // of the element being read
    char closer;
  };

  const ExtractPlan* plan_ = nullptr;
  std::vector<Frame> frames_;  // one in front, and as many as may be open at once
  std::string name_;           // scratch for names with escapes
  const char* value_end_ = nullptr;
  const char* error_message_ = nullptr;
  const char* error_at_ = nullptr;
  JsonErrorCode error_code_ = JsonErrorCode::kNone;
};

}  // namespace penstock
