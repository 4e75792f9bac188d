// Helpers of this room's tests: a body as a padded buffer, and a whole scan as a vector.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/padded_buffer.h"
#include "schema/extract_plan.h"
#include "schema/json_scanner.h"

namespace penstock {

// `text` with padding that would complete a cut value, number or name, if anyone believed it.
inline PaddedBuffer padded(std::string_view text) {
  PaddedBuffer buffer;
  buffer.append(as_bytes(text));
  const std::span<std::byte> room = buffer.prepare(PaddedBuffer::kPadding);
  std::memset(room.data(), '}', room.size());
  std::memcpy(room.data(), "1\":0]}\"", 7);
  return buffer;
}

inline ExtractPlan plan_of(std::initializer_list<const char*> pointers) {
  std::vector<JsonPointer> parsed;
  for (const char* pointer : pointers) {
    parsed.push_back(*JsonPointer::parse(pointer));
  }
  return ExtractPlan::compile(parsed);
}

// A piece that owns what it says, so that it outlives the scan.
struct ScannedPiece {
  std::string raw;
  std::size_t position;  // in the body
  JsonErrorCode error;   // kNone: an event
  std::string message;
  std::size_t error_position;
  std::vector<std::string> values;  // as they stand in the document; "-" if missing

  [[nodiscard]] bool ok() const { return error == JsonErrorCode::kNone; }
};

struct Scan {
  JsonScanner::Body body;
  std::vector<ScannedPiece> pieces;

  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> raws;
    for (const ScannedPiece& piece : pieces) {
      if (piece.ok()) {
        raws.push_back(piece.raw);
      }
    }
    return raws;
  }

  [[nodiscard]] std::vector<std::string> malformed() const {
    std::vector<std::string> raws;
    for (const ScannedPiece& piece : pieces) {
      if (!piece.ok()) {
        raws.push_back(piece.raw);
      }
    }
    return raws;
  }
};

inline Scan scan(JsonScanner& scanner, std::string_view text,
                 const ExtractPlan& plan = ExtractPlan()) {
  const PaddedBuffer body = padded(text);
  Scan result{scanner.start(body, plan), {}};
  JsonPiece piece;
  while (scanner.next(piece)) {
    ScannedPiece& kept = result.pieces.emplace_back();
    kept.raw = piece.raw;
    kept.position = static_cast<std::size_t>(piece.raw.data() - body.text().data());
    kept.error = piece.error.code;
    kept.message = piece.error.message;
    kept.error_position = piece.error.position;
    for (const JsonValue& value : piece.values) {
      kept.values.emplace_back(value.is_missing() ? "-" : value.json());
    }
  }
  return result;
}

inline Scan scan(std::string_view text, const ExtractPlan& plan = ExtractPlan()) {
  JsonScanner scanner;
  return scan(scanner, text, plan);
}

}  // namespace penstock
