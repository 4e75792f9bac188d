// The Processor API: own steps with stores, punctuations and headers.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsl/processor.h"
#include "oracle/kit.h"
#include "oracle/program.h"

namespace penstock::oracle {
namespace {

using Record = dsl::Record<Text, Text>;
using TextStore = dsl::KeyValueStore<Text, Text>;

// A processor that forwards texts and keeps texts by key in a store "seen".
class TextProcessor : public dsl::Processor<Text, Text, Text, Text> {
 public:
  void init(Context& context) override {
    context_ = &context;
    seen_.emplace(context.key_value_store<Text, Text>("seen"));
  }

 protected:
  void forward(const Record& record, const Text& value) {
    context_->forward(record.with_value(&value));
  }

  [[nodiscard]] std::optional<Text> get(const Text& key) const {
    const auto stored = seen_->get(key);
    return stored.has_value() ? std::optional(stored->value) : std::nullopt;
  }

  Context* context_ = nullptr;
  std::optional<TextStore> seen_;
};

// Forwards what changes, with what was before; a tombstone forgets.
class LastSeen final : public TextProcessor {
 public:
  void process(const Record& record) override {
    if (record.key == nullptr) {
      return;
    }
    const std::optional<Text> before = get(*record.key);
    if (record.value == nullptr) {
      forward(record, "forgot " + before.value_or("null"));
      seen_->erase(*record.key, record.timestamp);
      return;
    }
    if (!before.has_value()) {
      seen_->put(*record.key, *record.value, record.timestamp);
    } else if (letter(&*before) != letter(record.value)) {
      seen_->put(*record.key, *record.value, record.timestamp);
      forward(record, pair(&*before, record.value));
    }
  }
};

// Collects, and every 1000 ms forwards and forgets all, with the time of the punctuation.
class Flusher final : public TextProcessor {
 public:
  explicit Flusher(dsl::PunctuationType type) : type_(type) {}

  void init(Context& context) override {
    TextProcessor::init(context);
    context.schedule(type_, milliseconds(1000), [this](Timestamp time) { flush(time); });
  }

  void process(const Record& record) override {
    if (record.key != nullptr) {
      const std::optional<Text> before = get(*record.key);
      seen_->put(*record.key, pair(before.has_value() ? &*before : nullptr, record.value),
                 record.timestamp);
    }
  }

 private:
  void flush(Timestamp time) {
    for (const auto& [key, stored] : seen_->all()) {
      context_->forward(key, stored.value, time);
      seen_->erase(key, time);
    }
  }

  const dsl::PunctuationType type_;
};

class RunningSum final : public dsl::FixedKeyProcessor<Text, Text, std::int64_t> {
 public:
  void init(Context& context) override {
    context_ = &context;
    sums_.emplace(context.key_value_store<Text, std::int64_t>("sums"));
  }

  void process(const Record& record) override {
    const auto before = sums_->get(*record.key);
    const std::int64_t sum = (before.has_value() ? before->value : 0) + number_of(record.value);
    sums_->put(*record.key, sum, record.timestamp);
    context_->forward(&sum, record.timestamp, record.headers);
  }

 private:
  Context* context_ = nullptr;
  std::optional<dsl::KeyValueStore<Text, std::int64_t>> sums_;
};

// Shows the context of a record in its value, and adds a header of its own.
class Tagger final : public dsl::Processor<Text, Text, Text, Text> {
 public:
  void init(Context& context) override { context_ = &context; }

  void process(const Record& record) override {
    const dsl::RecordMetadata& from = context_->record_metadata();
    const Text where = Text(from.topic) + "-" + std::to_string(from.partition.value()) + "@" +
                       std::to_string(from.offset.value()) + "/" +
                       std::to_string(context_->current_stream_time().value());
    const Text value = pair(record.value, &where);
    dsl::Headers headers = record.headers == nullptr ? dsl::Headers() : *record.headers;
    headers.push_back({"tag", to_bytes(shown_or_null(record.key))});
    context_->forward({record.key, &value, record.timestamp + 1, &headers});
  }

 private:
  Context* context_ = nullptr;
};

// Counts the records of its key within 500 ms before and after.
class Neighbours final : public dsl::Processor<Text, Text, Text, std::int64_t> {
 public:
  void init(Context& context) override {
    context_ = &context;
    seen_.emplace(context.window_store<Text, Text>("seen"));
  }

  void process(const Record& record) override {
    if (record.key == nullptr) {
      return;
    }
    seen_->put(*record.key, record.timestamp, record.value, record.timestamp);
    const Timestamp from(std::max<std::int64_t>(0, record.timestamp.value() - 500));
    const auto count =
        static_cast<std::int64_t>(seen_->fetch(*record.key, from, record.timestamp + 500).size());
    context_->forward(record.with_value(&count));
  }

 private:
  Context* context_ = nullptr;
  std::optional<dsl::WindowStore<Text, Text>> seen_;
};

// Answers with what the store holds from the record's letter up to its key, and backwards.
class Ranges final : public TextProcessor {
 public:
  void process(const Record& record) override {
    if (record.key == nullptr || record.value == nullptr) {
      return;
    }
    seen_->put(*record.key, *record.value, record.timestamp);
    const Text from = *letter(record.value);
    if (from > *record.key) {
      return;
    }
    Text forwards;
    Text backwards;
    for (const auto& [key, stored] : seen_->range(from, *record.key)) {
      forwards += key + stored.value;
      backwards.insert(0, key);
    }
    forward(record, forwards + "|" + backwards);
  }
};

// To one sink or the other; what has no value to both.
class Router final : public dsl::Processor<Text, Text, Text, Text> {
 public:
  void init(Context& context) override { context_ = &context; }

  void process(const Record& record) override {
    if (record.value == nullptr) {
      context_->forward(record);
    } else {
      context_->forward(record, number_of(record.value) % 2 == 0 ? "even" : "odd");
    }
  }

 private:
  Context* context_ = nullptr;
};

void punctuated(dsl::StreamBuilder& builder, dsl::PunctuationType type) {
  builder.add_key_value_store("seen");
  stream(builder, "in")
      .process([type] { return std::make_unique<Flusher>(type); }, {"seen"})
      .to("out");
}

constexpr Program kPrograms[] = {
    {"processor_last_seen",
     [](dsl::StreamBuilder& builder) {
       builder.add_key_value_store("seen");
       stream(builder, "in")
           .process([] { return std::make_unique<LastSeen>(); }, {"seen"})
           .to("out");
     }},
    {"processor_punctuate_stream_time",
     [](dsl::StreamBuilder& builder) { punctuated(builder, dsl::PunctuationType::kStreamTime); }},
    {"processor_punctuate_wall_clock",
     [](dsl::StreamBuilder& builder) {
       punctuated(builder, dsl::PunctuationType::kWallClockTime);
     }},
    {"processor_values",
     [](dsl::StreamBuilder& builder) {
       builder.add_key_value_store("sums");
       stream(builder, "in")
           .filter([](const Text* key, const Text*) { return key != nullptr; })
           .process_values([] { return std::make_unique<RunningSum>(); }, {"sums"})
           .to("out");
     }},
    {"processor_headers",
     [](dsl::StreamBuilder& builder) {
       stream(builder, "in").process([] { return std::make_unique<Tagger>(); }).to("out");
     }},
    {"processor_window_store",
     [](dsl::StreamBuilder& builder) {
       builder.add_window_store("seen", milliseconds(1000), milliseconds(4000));
       stream(builder, "in")
           .process([] { return std::make_unique<Neighbours>(); }, {"seen"})
           .to("out");
     }},
    {"processor_topology",
     [](dsl::StreamBuilder& builder) {
       const auto routed = stream(builder, "in").process([] { return std::make_unique<Router>(); });
       routed.to("even", {.name = "even"});
       routed.to("odd", {.name = "odd"});
     }},
    {"processor_range",
     [](dsl::StreamBuilder& builder) {
       builder.add_key_value_store("seen");
       stream(builder, "in").process([] { return std::make_unique<Ranges>(); }, {"seen"}).to("out");
     }},
};

}  // namespace

Programs processors() {
  return kPrograms;
}

}  // namespace penstock::oracle
