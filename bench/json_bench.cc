// What JSON costs per event: the gateway's scan (everything checked, three values extracted), the
// engine's extraction, and the parts of both. Time is per event.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/padded_buffer.h"
#include "os/random.h"
#include "schema/extract_plan.h"
#include "schema/json_extractor.h"
#include "schema/json_scanner.h"
#include "schema/structural_index.h"
#include "schema/timestamp.h"

namespace penstock {
namespace {

constexpr std::size_t kBodyBytes = 64 * kKiB;

// NDJSON of 100, 200 or 600 bytes per event; the last kind is nested and has escapes.
std::string event_of(std::size_t size, os::SeededRandom& random) {
  const std::string user = "u" + std::to_string(10'000'000 + random.below(1'000'000));
  const std::string time = std::to_string(1'767'225'600'000 + random.below(100'000));
  std::string event = R"({"user":")" + user + R"(","ts":)" + time + R"(,"type":"click","amount":)" +
                      std::to_string(random.below(1000)) + "." +
                      std::to_string(10 + random.below(90));
  if (size >= 200) {
    event += R"(,"session":"s-)" + std::to_string(random.next() % 100'000'000) +
             R"(","ok":true,"ref":null,"page":{"path":"/products/)" +
             std::to_string(random.below(1000)) + R"(","n":)" + std::to_string(random.below(50)) +
             "}";
  }
  if (size >= 600) {
    event += R"x(,"agent":"Mozilla/5.0 \"X11\" (Linux; x86_64)","tags":["a","b\n","c"],"items":[)x";
    for (int i = 0; i < 4; ++i) {
      event += (i == 0 ? "" : ",") + (R"({"sku":"A-)" + std::to_string(random.below(10'000))) +
               R"(","price":)" + std::to_string(random.below(100)) + R"(.99,"count":1})";
    }
    event += "]";
  }
  event += R"(,"pad":")";
  event.append(size > event.size() + 2 ? size - event.size() - 2 : 0, 'x');
  return event + "\"}";
}

std::vector<std::string> events_of(std::size_t size) {
  os::SeededRandom random(1);
  std::vector<std::string> events(kBodyBytes / (size + 1));
  for (std::string& event : events) {
    event = event_of(size, random);
  }
  return events;
}

PaddedBuffer body_of(const std::vector<std::string>& events) {
  PaddedBuffer body;
  for (const std::string& event : events) {
    body.append(as_bytes(event + "\n"));
  }
  return body;
}

ExtractPlan plan_of(std::initializer_list<const char*> texts) {
  std::vector<JsonPointer> pointers;
  for (const char* text : texts) {
    pointers.push_back(*JsonPointer::parse(text));
  }
  return ExtractPlan::compile(pointers);
}

void report(benchmark::State& state, std::size_t events, std::size_t bytes) {
  const auto rounds = static_cast<std::int64_t>(state.iterations());
  state.SetItemsProcessed(rounds * static_cast<std::int64_t>(events));
  state.SetBytesProcessed(rounds * static_cast<std::int64_t>(bytes));
  state.counters["per_event"] = benchmark::Counter(
      static_cast<double>(events),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void index_only(benchmark::State& state) {
  const std::vector<std::string> events = events_of(static_cast<std::size_t>(state.range(0)));
  const PaddedBuffer body = body_of(events);
  StructuralIndex index;
  for (auto _ : state) {
    benchmark::DoNotOptimize(index.index(body.text()));
  }
  report(state, events.size(), body.size());
}

void scan(benchmark::State& state, const ExtractPlan& plan) {
  const std::vector<std::string> events = events_of(static_cast<std::size_t>(state.range(0)));
  const PaddedBuffer body = body_of(events);
  JsonScanner scanner;
  JsonPiece piece;
  for (auto _ : state) {
    std::size_t count = 0;
    benchmark::DoNotOptimize(scanner.start(body, plan));
    while (scanner.next(piece)) {
      count += piece.ok() ? 1 : 0;
      benchmark::DoNotOptimize(piece);
    }
    if (count != events.size()) {
      state.SkipWithError("events were lost");
    }
  }
  report(state, events.size(), body.size());
}

void validate_only(benchmark::State& state) {
  scan(state, ExtractPlan());
}

void scan_three(benchmark::State& state) {
  scan(state, plan_of({"/user", "/ts", "/type"}));
}

// What the engine does for a group and a sum.
void extract_two(benchmark::State& state) {
  const std::vector<std::string> events = events_of(static_cast<std::size_t>(state.range(0)));
  const ExtractPlan plan = plan_of({"/type", "/amount"});
  JsonExtractor extractor(plan);
  for (auto _ : state) {
    extractor.clear();
    for (const std::string& event : events) {
      extractor.add(as_bytes(event));
    }
    extractor.run();
    benchmark::DoNotOptimize(extractor.values(0));
  }
  report(state, events.size(), events.size() * events.front().size());
}

void extract_one_by_one(benchmark::State& state) {
  const std::vector<std::string> events = events_of(static_cast<std::size_t>(state.range(0)));
  const ExtractPlan plan = plan_of({"/type", "/amount"});
  JsonExtractor extractor(plan);
  for (auto _ : state) {
    for (const std::string& event : events) {
      extractor.clear();
      extractor.add(as_bytes(event));
      extractor.run();
      benchmark::DoNotOptimize(extractor.values(0));
    }
  }
  report(state, events.size(), events.size() * events.front().size());
}

// The same bytes as one list on one line, and as requests of a single event.
void scan_list(benchmark::State& state) {
  const std::vector<std::string> events = events_of(static_cast<std::size_t>(state.range(0)));
  PaddedBuffer body("[");
  for (const std::string& event : events) {
    body.append(as_bytes((&event == &events.front() ? "" : ",") + event));
  }
  body.append(as_bytes("]"));
  const ExtractPlan plan = plan_of({"/user", "/ts", "/type"});
  JsonScanner scanner;
  JsonPiece piece;
  for (auto _ : state) {
    benchmark::DoNotOptimize(scanner.start(body, plan));
    while (scanner.next(piece)) {
      benchmark::DoNotOptimize(piece);
    }
  }
  report(state, events.size(), body.size());
}

void scan_single(benchmark::State& state) {
  const std::vector<std::string> events = events_of(static_cast<std::size_t>(state.range(0)));
  const PaddedBuffer body(events.front());
  const ExtractPlan plan = plan_of({"/user", "/ts", "/type"});
  JsonScanner scanner;
  JsonPiece piece;
  for (auto _ : state) {
    benchmark::DoNotOptimize(scanner.start(body, plan));
    while (scanner.next(piece)) {
      benchmark::DoNotOptimize(piece);
    }
  }
  report(state, 1, body.size());
}

void timestamp(benchmark::State& state, const JsonValue& value) {
  for (auto _ : state) {
    JsonValue volatile_value = value;
    benchmark::DoNotOptimize(volatile_value);
    benchmark::DoNotOptimize(event_time(volatile_value));
  }
}

BENCHMARK(index_only)->Arg(100)->Arg(200)->Arg(600);
BENCHMARK(validate_only)->Arg(100)->Arg(200)->Arg(600);
BENCHMARK(scan_three)->Arg(100)->Arg(200)->Arg(600);
BENCHMARK(scan_list)->Arg(100);
BENCHMARK(scan_single)->Arg(100);
BENCHMARK(extract_two)->Arg(100)->Arg(200)->Arg(600);
BENCHMARK(extract_one_by_one)->Arg(100);
BENCHMARK_CAPTURE(timestamp, text, {"2015-05-17T10:05:03.000Z", JsonType::kString});
BENCHMARK_CAPTURE(timestamp, text_no_fraction, {"2015-05-17T10:05:03Z", JsonType::kString});
BENCHMARK_CAPTURE(timestamp, text_with_zone, {"2015-05-17T10:05:03+02:00", JsonType::kString});
BENCHMARK_CAPTURE(timestamp, number, {"1767225600000", JsonType::kNumber});

}  // namespace
}  // namespace penstock
