#include "telemetry/logger.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "core/json_writer.h"
#include "core/mutex.h"
#include "core/rfc3339.h"

namespace penstock::telemetry {
namespace {

constexpr auto kRepeatWindow = std::chrono::seconds(10);
constexpr std::size_t kRepeatKeysMax = 1024;

void write_to_stderr(std::string_view line) {
  // stderr is unbuffered: the line is out when this returns. A failure has nowhere to be reported.
  static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// As it is where that is safe; otherwise quoted, so that a line stays one line and fields stay
// apart.
std::string plain(std::string_view text, std::string_view unsafe) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || unsafe.find(c) != std::string_view::npos) {
      return quoted(text);
    }
  }
  return text.empty() ? "\"\"" : std::string(text);
}

template <typename Number>
std::string number_text(Number number) {
  std::array<char, 64> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

std::string value_text(const LogField::Value& value, LogFormat format) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    return format == LogFormat::kJson ? quoted(*text) : plain(*text, " =\"\\");
  }
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? "true" : "false";
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return std::isfinite(*number) ? number_text(*number) : "null";
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return number_text(*number);
  }
  return number_text(*std::get_if<std::uint64_t>(&value));
}

// Per message: how many lines went out in the current window, how many did not.
struct Repeats {
  os::TimePoint window_start;
  std::uint32_t written = 0;
  std::uint64_t suppressed = 0;
};

using RepeatTable = std::map<std::string, Repeats, std::less<>>;

// How many lines were left out before this one, or nothing if this one is left out as well.
std::optional<std::uint64_t> admit(RepeatTable& table, const std::string& key, os::TimePoint now,
                                   std::uint32_t repeats_max) {
  if (table.size() >= kRepeatKeysMax && table.find(key) == table.end()) {
    table.clear();  // only forgets counts: messages are few, their keys are literals
  }
  Repeats& repeats = table.try_emplace(key, Repeats{now}).first->second;
  if (now - repeats.window_start >= kRepeatWindow) {
    repeats.window_start = now;
    repeats.written = 0;
  }
  if (repeats.written >= repeats_max) {
    ++repeats.suppressed;
    return std::nullopt;
  }
  ++repeats.written;
  return std::exchange(repeats.suppressed, 0);
}

struct Line {
  LogLevel level;
  std::string_view component;
  std::string_view message;
  Logger::Fields fields;
  std::uint64_t suppressed;
};

std::string text_line(const Line& line, const std::string& time) {
  constexpr std::array<std::string_view, 4> kNames = {"DEBUG", "INFO ", "WARN ", "ERROR"};
  std::string text = time + " ";
  text += kNames.at(static_cast<std::size_t>(line.level));
  text += " " + plain(line.component, "") + ": " + plain(line.message, "");
  for (const LogField& field : line.fields) {
    text += " " + std::string(field.name) + "=" + value_text(field.value, LogFormat::kText);
  }
  if (line.suppressed > 0) {
    text += " suppressed=" + number_text(line.suppressed);
  }
  return text + "\n";
}

std::string json_line(const Line& line, const std::string& time) {
  std::string text = "{\"time\":" + quoted(time) + ",\"level\":" + quoted(to_string(line.level));
  text += ",\"component\":" + quoted(line.component) + ",\"message\":" + quoted(line.message);
  for (const LogField& field : line.fields) {
    text += "," + quoted(field.name) + ":" + value_text(field.value, LogFormat::kJson);
  }
  if (line.suppressed > 0) {
    text += ",\"suppressed\":" + number_text(line.suppressed);
  }
  return text + "}\n";
}

}  // namespace

std::string_view to_string(LogLevel level) {
  constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warn", "error"};
  return kNames.at(static_cast<std::size_t>(level));
}

class Logger::Impl {
 public:
  Impl(const os::Clock& clock, Options options) : clock_(clock), options_(std::move(options)) {
    if (!options_.write) {
      options_.write = write_to_stderr;
    }
  }

  void log(LogLevel level, std::string_view component, std::string_view message, Fields fields) {
    if (level < options_.level) {
      return;
    }
    const std::string time = format_rfc3339(clock_.wall_now().time_since_epoch().count());
    const MutexLock lock(mutex_);
    const auto suppressed = admit(repeats_, std::string(component) + ": " + std::string(message),
                                  clock_.now(), options_.repeats_max);
    if (suppressed) {
      const Line line{level, component, message, fields, *suppressed};
      options_.write(options_.format == LogFormat::kJson ? json_line(line, time)
                                                         : text_line(line, time));
    }
  }

 private:
  const os::Clock& clock_;
  Options options_;
  Mutex mutex_;
  RepeatTable repeats_ PENSTOCK_GUARDED_BY(mutex_);
};

Logger::Logger(const os::Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(clock, std::move(options))) {}

Logger::~Logger() = default;

void Logger::log(LogLevel level, std::string_view component, std::string_view message,
                 Fields fields) {
  impl_->log(level, component, message, fields);
}

}  // namespace penstock::telemetry
