// JsonExtractor reads a few values out of many small JSON documents, as the engine does with the
// records of a batch.
//
// The documents were validated when they came in, so only what extraction needs is checked again;
// but any bytes are safe to give it. Documents are copied into one scratch buffer and indexed
// together, which makes a batch cheaper than the same documents one by one.
//
//   extractor.clear();
//   for (each record) { extractor.add(record.value); }
//   extractor.run();
//   for (i...) { if (extractor.ok(i)) { use(extractor.values(i)); } }
//
// A document may be any JSON value. Duplicate names: the last one counts, as in JsonScanner.
//
// Threads   one extractor per thread.
// Lifetime  `plan` outlives the extractor. Values point into the extractor and are valid until the
//           next clear(); documents are copied by add().
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/bytes.h"
#include "schema/extract_plan.h"
#include "schema/json_value.h"

namespace penstock {

class JsonExtractor {
 public:
  struct Options {
    std::uint32_t depth_max = 128;
  };

  JsonExtractor(const ExtractPlan& plan, const Options& options);

  explicit JsonExtractor(const ExtractPlan& plan) : JsonExtractor(plan, Options()) {}

  ~JsonExtractor();

  JsonExtractor(const JsonExtractor&) = delete;
  JsonExtractor& operator=(const JsonExtractor&) = delete;

  // Forgets all documents and keeps the memory.
  void clear();

  void add(ByteView document);

  // Extracts from every document added since clear().
  void run();

  [[nodiscard]] std::size_t size() const;

  // After run(): false if document `index` is not JSON.
  [[nodiscard]] bool ok(std::size_t index) const;

  // After run(): one value per pointer of the plan; all missing if !ok(index).
  [[nodiscard]] std::span<const JsonValue> values(std::size_t index) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
