// JsonScanner takes a request body apart into events, validates each one and extracts values from
// it, in one pass.
//
// A body is a sequence of JSON objects with any white space (or none) between: one object, NDJSON,
// concatenated JSON; or a JSON array of objects, or several. Which one it is shows in the bytes; no
// content type is asked. Every event is checked against all of RFC 8259, its UTF-8 too. What is no
// valid event becomes a malformed piece with an error, its bytes whole, and the scan goes on
// behind it; where it goes on is described in README.md, "Where a malformed piece ends".
// simdjson's stage 1 finds the structure, our own walker does the rest:
// docs/adr/0018-json-walker.md.
//
//   if (scanner.start(body, plan) == JsonScanner::Body::kNotJson) { refuse it as a whole }
//   while (scanner.next(piece)) {
//     piece.ok() ? accept(piece.raw, piece.values) : dead_letter(piece.raw, piece.error);
//   }
//
// Invariants
//   I1  Pieces come in the order of the body and do not overlap; all bytes between them are white
//       space, list punctuation or a leading byte order mark. Only a list that is not closed is
//       reported last, as its opening bracket.
//   I2  The values of a piece with ok() are those of a valid RFC 8259 object.
//   I3  Nothing behind the body influences the result; at most PaddedBuffer::kPadding bytes of it
//       are read.
//   I4  Memory is bounded by Options, not by the body: 4 * (window_bytes + event_bytes_max) for
//       positions, and a byte for each open bracket of a malformed piece.
//
// Threads   one scanner per thread.
// Lifetime  body and plan outlive the scan: from start() to the last next(), and as long as the
//           pieces are used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/padded_buffer.h"
#include "core/units.h"
#include "schema/extract_plan.h"
#include "schema/json_error.h"
#include "schema/json_value.h"

namespace penstock {

// One event or one malformed piece of a body.
struct JsonPiece {
  // Exactly the event, or the whole malformed piece; points into the body.
  std::string_view raw;
  // One per pointer of the plan; valid until the next next(). Empty if malformed.
  std::span<const JsonValue> values;
  JsonError error;

  [[nodiscard]] bool ok() const { return error.code == JsonErrorCode::kNone; }
};

class JsonScanner {
 public:
  struct Options {
    std::uint32_t depth_max = 128;
    std::size_t event_bytes_max = 1 * kMiB;  // a larger event is malformed: kTooLarge
    std::size_t window_bytes = 128 * kKiB;   // how much is indexed at a time
  };

  enum class Body {
    kPieces,   // next() gives at least one piece (or the body is an empty list)
    kEmpty,    // nothing but white space: next() gives none
    kNotJson,  // nothing in it can be told apart as an event: next() gives none
  };

  explicit JsonScanner(const Options& options);

  JsonScanner() : JsonScanner(Options()) {}

  ~JsonScanner();

  JsonScanner(const JsonScanner&) = delete;
  JsonScanner& operator=(const JsonScanner&) = delete;

  // Begins with `body`; what was left of an earlier one is forgotten.
  [[nodiscard]] Body start(const PaddedBuffer& body, const ExtractPlan& plan);

  // False after the last piece.
  [[nodiscard]] bool next(JsonPiece& piece);

  // Checks a body that must be exactly one JSON value of any type. Nothing if it is; the same
  // rules otherwise (event_bytes_max aside).
  [[nodiscard]] std::optional<JsonError> validate(const PaddedBuffer& document);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
