// Any bytes as a request body, as one document and as records: the JSON scanner must account for
// every byte, find the same whatever its window is, and agree with an independent parser.
#include "schema/json_scanner.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/padded_buffer.h"
#include "schema/json_extractor.h"
#include "schema/timestamp.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

const std::vector<std::string>& pointers() {
  static const std::vector<std::string> texts = {"/a", "/b/a", "/a/0", "/b", "", "/a/1/b", "/ts"};
  return texts;
}

const ExtractPlan& plan() {
  static const ExtractPlan compiled = [] {
    std::vector<JsonPointer> parsed;
    for (const std::string& text : pointers()) {
      parsed.push_back(*JsonPointer::parse(text));
    }
    return ExtractPlan::compile(parsed);
  }();
  return compiled;
}

enum class Verdict { kJson, kNotJson, kUnknown };

// The reference ends at a NUL byte, refuses numbers beyond a double's range and recurses: it is not
// asked then.
Verdict ask_reference(std::string_view text, Json& document) {
  if (text.find('\0') != std::string_view::npos) {
    return Verdict::kUnknown;
  }
  try {
    document = Json::parse(text);
    return Verdict::kJson;
  } catch (const Json::out_of_range&) {
    return Verdict::kUnknown;
  } catch (const Json::exception&) {
    return Verdict::kNotJson;
  }
}

void check_values(const Json& document, std::span<const JsonValue> values) {
  PENSTOCK_CHECK(values.size() == pointers().size());
  std::string scratch;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Json::json_pointer pointer(pointers()[i]);
    PENSTOCK_CHECK(document.contains(pointer) == !values[i].is_missing());
    if (!values[i].is_missing()) {
      PENSTOCK_CHECK(Json::parse(values[i].json()) == document.at(pointer));
      static_cast<void>(values[i].as_int64());
      static_cast<void>(values[i].as_double());
      static_cast<void>(key_text(values[i], scratch));
      static_cast<void>(event_time(values[i]));
    }
  }
}

struct Piece {
  std::string_view raw;
  bool ok;

  bool operator==(const Piece&) const = default;
};

bool is_punctuation(std::string_view bytes) {
  return bytes.find_first_not_of("[], \t\r\n") == std::string_view::npos;
}

// The pieces of the body; checks each of them and what lies between.
std::vector<Piece> scan(JsonScanner& scanner, const PaddedBuffer& body) {
  std::vector<Piece> pieces;
  const std::string_view text = body.text();
  std::size_t end = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const JsonScanner::Body kind = scanner.start(body, plan());
  JsonPiece piece;
  while (scanner.next(piece)) {
    PENSTOCK_CHECK(kind == JsonScanner::Body::kPieces && !piece.raw.empty());
    pieces.push_back({piece.raw, piece.ok()});
    const auto begin = static_cast<std::size_t>(piece.raw.data() - text.data());
    if (piece.raw == "[" && begin < end) {
      continue;  // a list that is not closed is reported at the end
    }
    PENSTOCK_CHECK(begin >= end && is_punctuation(text.substr(end, begin - end)));
    end = begin + piece.raw.size();
    if (piece.ok()) {
      PENSTOCK_CHECK(piece.raw.front() == '{' && piece.raw.back() == '}');
      Json document;
      const Verdict verdict = ask_reference(piece.raw, document);
      PENSTOCK_CHECK(verdict != Verdict::kNotJson);
      if (verdict == Verdict::kJson) {
        check_values(document, piece.values);
      }
    } else {
      PENSTOCK_CHECK(piece.error.position <= text.size() && !piece.error.message.empty());
    }
  }
  PENSTOCK_CHECK(kind == JsonScanner::Body::kNotJson || is_punctuation(text.substr(end)));
  return pieces;
}

void check_document(JsonScanner& scanner, const PaddedBuffer& document) {
  Json parsed;
  const Verdict verdict = ask_reference(document.text(), parsed);
  const std::optional<JsonError> error = scanner.validate(document);
  PENSTOCK_CHECK(verdict != Verdict::kNotJson || error.has_value());
  PENSTOCK_CHECK(verdict != Verdict::kJson || !error.has_value() ||
                 error->code == JsonErrorCode::kTooDeep);
}

// The body's lines as documents of one batch.
void check_extraction(std::string_view text) {
  static JsonExtractor extractor(plan());
  extractor.clear();
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(lines.back().size() + 1, text.size()));
    extractor.add(as_bytes(lines.back()));
  }
  extractor.run();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    Json document;
    if (lines[i].size() < 256 && ask_reference(lines[i], document) == Verdict::kJson &&
        !lines[i].starts_with("\xEF\xBB\xBF")) {
      PENSTOCK_CHECK(extractor.ok(i));
      check_values(document, extractor.values(i));
    }
  }
}

void run(std::string_view input) {
  if (input.empty() || input.size() > 8192) {
    return;
  }
  PaddedBuffer body(input);
  // Hostile padding, from the input itself.
  const std::span<std::byte> room = body.prepare(PaddedBuffer::kPadding);
  for (std::size_t i = 0; i < PaddedBuffer::kPadding; ++i) {
    room[i] = static_cast<std::byte>(input[i % input.size()]);
  }
  static JsonScanner usual;
  static JsonScanner small_windows({.window_bytes = 16});
  static JsonScanner medium_windows({.window_bytes = 100});
  static JsonScanner strict({.depth_max = 4, .event_bytes_max = 32, .window_bytes = 64});
  const std::vector<Piece> pieces = scan(usual, body);
  PENSTOCK_CHECK(scan(small_windows, body) == pieces);
  PENSTOCK_CHECK(scan(medium_windows, body) == pieces);
  static_cast<void>(scan(strict, body));
  check_document(usual, body);
  check_extraction(body.text());
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  penstock::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
