// Logger writes the operator's log: one line per thing that happened, with fields, to stderr.
//
//   log.warn("wal", "tail truncated", {{"segment", 17}, {"bytes", 4096}});
//
//   2026-03-01T12:00:00.123Z WARN  wal: tail truncated segment=17 bytes=4096
//   {"time":"2026-03-01T12:00:00.123Z","level":"warn","component":"wal",
//    "message":"tail truncated","segment":17,"bytes":4096}          (one line in the file)
//
// For what an operator should know: starts, stops, repairs, refusals, failures. Never per event; of
// a message repeated more often than `repeats_max` in ten seconds the rest is left out, and the
// next line says how many (`suppressed`). An error is logged or returned, not both.
//
// Threads   all functions from any thread.
// Lifetime  `clock` outlives the Logger.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.h"
#include "os/clock.h"

namespace penstock::telemetry {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

enum class LogFormat { kText, kJson };

// "debug", "info", "warn", "error".
[[nodiscard]] std::string_view to_string(LogLevel level);

struct LogField {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  // NOLINTBEGIN(google-explicit-constructor): fields are written {"name", value}
  template <typename T>
  LogField(std::string_view field_name, const T& field_value)
      : name(field_name), value(convert(field_value)) {}

  // NOLINTEND(google-explicit-constructor)

  std::string_view name;
  Value value;  // text is the caller's memory

 private:
  template <typename T>
  static Value convert(const T& v) {
    if constexpr (std::same_as<T, bool>) {
      return v;
    } else if constexpr (std::signed_integral<T>) {
      return static_cast<std::int64_t>(v);
    } else if constexpr (std::unsigned_integral<T>) {
      return static_cast<std::uint64_t>(v);
    } else if constexpr (std::floating_point<T>) {
      return static_cast<double>(v);
    } else {
      return std::string_view(v);
    }
  }
};

class Logger {
 public:
  struct Options {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kText;
    std::uint32_t repeats_max = 20;  // lines of the same component and message in ten seconds
    // Takes each line (with its newline) instead of stderr; called by one thread at a time.
    std::function<void(std::string_view line)> write{};
  };

  using Fields = std::initializer_list<LogField>;

  Logger(const os::Clock& clock, Options options);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void debug(std::string_view component, std::string_view message, Fields fields = {}) {
    log(LogLevel::kDebug, component, message, fields);
  }

  void info(std::string_view component, std::string_view message, Fields fields = {}) {
    log(LogLevel::kInfo, component, message, fields);
  }

  void warn(std::string_view component, std::string_view message, Fields fields = {}) {
    log(LogLevel::kWarn, component, message, fields);
  }

  void error(std::string_view component, std::string_view message, Fields fields = {}) {
    log(LogLevel::kError, component, message, fields);
  }

  void log(LogLevel level, std::string_view component, std::string_view message, Fields fields);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::telemetry
