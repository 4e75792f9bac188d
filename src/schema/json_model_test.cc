// The scanner and the extractor against a slow, independent reference (nlohmann's parser), on
// random texts and on bodies damaged at random places.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "schema/json_extractor.h"
#include "schema/random_json_for_test.h"
#include "schema/scan_for_test.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

const std::vector<std::string> kPointers = {
    "/a", "/b/a", "/a/0", "/b", "/c/1/a", "", "/a~1b", "/0", "/long name of more than eight"};

ExtractPlan plan() {
  std::vector<JsonPointer> pointers;
  for (const std::string& pointer : kPointers) {
    pointers.push_back(*JsonPointer::parse(pointer));
  }
  return ExtractPlan::compile(pointers);
}

// Nothing where the reference is not to be believed: it refuses numbers that no double can hold,
// and takes a NUL byte for the end of the text.
std::optional<bool> is_json(const std::string& text) {
  if (text.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  try {
    return !Json::parse(text).is_discarded();
  } catch (const Json::out_of_range&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return false;
  }
}

// Compares what was extracted with what the reference finds at the same pointers.
void expect_values(const Json& document, std::span<const JsonValue> values,
                   const std::string& text) {
  for (std::size_t i = 0; i < kPointers.size(); ++i) {
    const Json::json_pointer pointer(kPointers[i]);
    const bool expected = document.contains(pointer);
    ASSERT_EQ(!values[i].is_missing(), expected) << kPointers[i] << " in " << text;
    if (!expected) {
      continue;
    }
    const Json& value = document.at(pointer);
    EXPECT_EQ(Json::parse(values[i].json()), value) << kPointers[i] << " in " << text;
    if (value.is_string()) {
      std::string scratch;
      EXPECT_EQ(string_text(values[i], scratch), value.get<std::string>());
    }
    if (value.is_number()) {
      EXPECT_EQ(values[i].as_double(), value.get<double>()) << values[i].raw;
    }
  }
}

TEST(JsonModel, AcceptsAndExtractsLikeTheReference) {
  RandomJson random(1);
  JsonScanner scanner;
  const ExtractPlan values = plan();
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random.object(4);
    const PaddedBuffer body = padded(text);
    JsonPiece piece;
    ASSERT_EQ(scanner.start(body, values), JsonScanner::Body::kPieces);
    ASSERT_TRUE(scanner.next(piece)) << text;
    ASSERT_TRUE(piece.ok()) << piece.error.message << " at " << piece.error.position << ": "
                            << text;
    ASSERT_EQ(piece.raw, text);
    expect_values(Json::parse(text), piece.values, text);
    ASSERT_FALSE(scanner.next(piece)) << text;
  }
}

TEST(JsonModel, AgreesWithTheReferenceOnWhatIsJson) {
  RandomJson random(2);
  JsonScanner scanner;
  std::size_t valid = 0;
  std::size_t invalid = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random.value(3);
    for (std::size_t count = random.below(3); count > 0 && !text.empty(); --count) {
      text = random.mutated(text);
    }
    const std::optional<bool> expected = is_json(text);
    if (expected) {
      const std::optional<JsonError> error = scanner.validate(padded(text));
      ASSERT_EQ(!error.has_value(), *expected) << text << (error ? error->message : "");
      valid += *expected ? 1 : 0;
      invalid += *expected ? 0 : 1;
    }
  }
  EXPECT_GT(valid, 5000U);
  EXPECT_GT(invalid, 5000U);
}

TEST(JsonModel, ExtractsTheSameInBatches) {
  RandomJson random(3);
  const ExtractPlan values = plan();
  JsonExtractor extractor(values);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> texts(1 + random.below(20));
    extractor.clear();
    for (std::string& text : texts) {
      text = random.space() + (random.one_in(5) ? random.value(2) : random.object(3));
      if (random.one_in(6)) {
        text = random.mutated(text + " ");
      }
      extractor.add(as_bytes(text));
    }
    extractor.run();

    ASSERT_EQ(extractor.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (is_json(texts[i]).value_or(false)) {
        ASSERT_TRUE(extractor.ok(i)) << texts[i];
        expect_values(Json::parse(texts[i]), extractor.values(i), texts[i]);
      }
    }
  }
}

// Every byte of the body is in one piece, or is white space or the punctuation of a list.
void expect_all_accounted_for(const std::string& body, const Scan& result) {
  std::string rest = body;
  std::size_t end = 0;
  for (const ScannedPiece& piece : result.pieces) {
    ASSERT_EQ(body.substr(piece.position, piece.raw.size()), piece.raw);
    ASSERT_FALSE(piece.raw.empty()) << body;
    rest.replace(piece.position, piece.raw.size(), piece.raw.size(), '#');
    if (piece.raw == "[" && &piece == &result.pieces.back()) {
      continue;  // a list that is not closed is reported at the end
    }
    ASSERT_GE(piece.position, end) << body;
    end = piece.position + piece.raw.size();
  }
  ASSERT_EQ(rest.find_first_not_of("#,[] \t\r\n"), std::string::npos) << body;
}

void expect_events_are_objects(const Scan& result) {
  for (const std::string& event : result.events()) {
    ASSERT_NE(is_json(event), false) << event;
    ASSERT_EQ(event.front(), '{');
  }
}

bool contains_all(const std::vector<std::string>& events, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& event) {
    return std::find(events.begin(), events.end(), event) != events.end();
  });
}

struct Shape {
  std::string open;
  std::string between;
  std::string close;
  bool resynchronises;  // whatever the damage is, as long as it keeps to its line
};

class DamagedBody : public testing::TestWithParam<Shape> {};

// One event of a body is damaged; with `resynchronises` all others must be found, otherwise those
// before it. The result must not depend on how the body is cut into windows.
TEST_P(DamagedBody, LosesNothingButTheDamagedEvent) {
  const Shape& shape = GetParam();
  RandomJson random(4);
  JsonScanner large;
  JsonScanner::Options options;
  options.window_bytes = 64;
  JsonScanner small(options);
  for (int round = 0; round < 4000; ++round) {
    std::vector<std::string> others;
    std::string body = shape.open;
    const std::size_t count = 2 + random.below(6);
    const std::size_t damaged = random.below(count);
    for (std::size_t i = 0; i < count; ++i) {
      std::string event = "{\"n\":" + std::to_string(i) + ",\"v\":" + random.value(2) + "}";
      std::replace(event.begin(), event.end(), '\n', ' ');
      body += i == 0 ? "" : shape.between;
      if (i == damaged) {
        event = random.mutated(event);
        std::replace(event.begin(), event.end(), '\n', ' ');
      } else if (i < damaged || shape.resynchronises) {
        others.push_back(event);
      }
      body += event;
    }
    body += shape.close;

    const Scan result = scan(large, body);
    if (result.body == JsonScanner::Body::kNotJson) {
      ASSERT_FALSE(shape.resynchronises) << body;  // refused as a whole: nothing is lost
      continue;
    }
    expect_all_accounted_for(body, result);
    expect_events_are_objects(result);
    ASSERT_TRUE(contains_all(result.events(), others)) << body;
    const Scan again = scan(small, body);
    ASSERT_EQ(again.events(), result.events()) << body;
    ASSERT_EQ(again.malformed(), result.malformed()) << body;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, DamagedBody,
                         testing::Values(Shape{"", "\n", "\n", true},
                                         Shape{"", "\r\n\r\n", "", true}, Shape{"", "", "", false},
                                         Shape{"", "  ", " ", false},
                                         Shape{"[\n", ",\n", "\n]\n", false},
                                         Shape{"[", ",", "]", false},
                                         Shape{" [ ", " , ", " ] ", false}));

// Damage of any kind, newlines too: nothing is promised but order.
TEST(JsonModel, AccountsForEveryByteOfAnyBody) {
  RandomJson random(5);
  JsonScanner large;
  JsonScanner::Options options;
  options.window_bytes = 64;
  JsonScanner small(options);
  for (int round = 0; round < 10'000; ++round) {
    std::string body = random.space();
    for (std::size_t i = random.below(6); i > 0; --i) {
      body += random.one_in(4) ? random.value(3) : random.object(3);
      body += random.pick({"\n", "", " ", ",", "\n\n", "]", "["});
    }
    for (std::size_t i = random.below(4); i > 0 && !body.empty(); --i) {
      body = random.mutated(body);
    }
    const Scan result = scan(large, body);
    if (result.body == JsonScanner::Body::kNotJson) {
      continue;
    }
    expect_all_accounted_for(body, result);
    expect_events_are_objects(result);
    const Scan again = scan(small, body);
    ASSERT_EQ(again.events(), result.events()) << body;
    ASSERT_EQ(again.malformed(), result.malformed()) << body;
  }
}

// Both ways of indexing must agree: damage far away makes the scanner use the plain loop.
TEST(JsonModel, FindsTheSameWithAndWithoutVectorInstructions) {
  RandomJson random(6);
  JsonScanner scanner;
  const ExtractPlan values = plan();
  for (int round = 0; round < 2000; ++round) {
    std::string body;
    for (std::size_t i = 0; i < 5; ++i) {
      body += (random.one_in(3) ? random.mutated(random.object(3)) : random.object(3)) + "\n";
    }
    const Scan vector = scan(scanner, "{}\n" + body, values);
    const Scan plain = scan(scanner, "{}\n" + body + "{\"\x01", values);
    ASSERT_GE(plain.pieces.size(), vector.pieces.size()) << body;
    for (std::size_t i = 0; i + 1 < vector.pieces.size(); ++i) {
      ASSERT_EQ(plain.pieces[i].raw, vector.pieces[i].raw) << body;
      ASSERT_EQ(plain.pieces[i].error, vector.pieces[i].error) << body;
      ASSERT_EQ(plain.pieces[i].values, vector.pieces[i].values) << body;
    }
  }
}

}  // namespace
}  // namespace penstock
