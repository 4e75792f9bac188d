#include "telemetry/registry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <deque>

#include "core/check.h"

namespace penstock::telemetry {
namespace {

// Upper bounds in nanoseconds of the buckets on the page: 1-2.5-5 steps from 100 us to 60 s.
constexpr std::array<std::int64_t, 18> kBucketLimitsNs = {
    100'000,       250'000,       500'000,       1'000'000,      2'500'000,      5'000'000,
    10'000'000,    25'000'000,    50'000'000,    100'000'000,    250'000'000,    500'000'000,
    1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000, 30'000'000'000, 60'000'000'000,
};

constexpr std::array<double, 4> kQuantiles = {0.5, 0.9, 0.99, 0.999};

bool is_legal_name(std::string_view name) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), legal);
}

std::string escape(std::string_view text, bool quotes) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (c == '"' && quotes) {
      escaped += "\\\"";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// `name="value",...` without braces; "" for no labels.
std::string label_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += text.empty() ? "" : ",";
    text += name + "=\"" + escape(value, true) + "\"";
  }
  return text;
}

std::string number_text(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  std::array<char, 64> text{};
  // Without exponent where people can read it so.
  const double size = std::abs(value);
  const auto format = size == 0 || (size >= 1e-9 && size < 1e15) ? std::chars_format::fixed
                                                                 : std::chars_format::general;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format);
  return {text.data(), end.ptr};
}

double seconds(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

void write_line(std::string& page, std::string_view name, const std::string& labels, double value) {
  page += name;
  if (!labels.empty()) {
    page += '{';
    page += labels;
    page += '}';
  }
  page += ' ';
  page += number_text(value);
  page += '\n';
}

void write_head(std::string& page, std::string_view name, std::string_view help,
                std::string_view type) {
  page += "# HELP ";
  page += name;
  page += ' ';
  page += escape(help, false);
  page += "\n# TYPE ";
  page += name;
  page += ' ';
  page += type;
  page += '\n';
}

std::string with_label(const std::string& labels, std::string_view name, const std::string& value) {
  return labels + (labels.empty() ? "" : ",") + std::string(name) + "=\"" + value + "\"";
}

void write_buckets(std::string& page, const std::string& name, const std::string& labels,
                   const HistogramSnapshot& snapshot) {
  for (const std::int64_t limit : kBucketLimitsNs) {
    const auto bound = std::chrono::nanoseconds(limit);
    write_line(page, name + "_bucket", with_label(labels, "le", number_text(seconds(bound))),
               static_cast<double>(snapshot.count_up_to(bound)));
  }
  write_line(page, name + "_bucket", with_label(labels, "le", "+Inf"),
             static_cast<double>(snapshot.count()));
  write_line(page, name + "_sum", labels, seconds(snapshot.sum()));
  write_line(page, name + "_count", labels, static_cast<double>(snapshot.count()));
}

void write_quantiles(std::string& page, const std::string& name, const std::string& labels,
                     const HistogramSnapshot& snapshot) {
  for (const double q : kQuantiles) {
    write_line(page, name, with_label(labels, "quantile", number_text(q)),
               seconds(snapshot.quantile(q)));
  }
}

// A handle on its own cache line, so that writers on different threads do not disturb each other.
template <typename T>
struct alignas(64) Padded {
  T value;
};

}  // namespace

struct Registry::Series {
  struct Callback {
    std::uint64_t id;
    std::function<double()> value;
  };

  // Deques: handles must not move.
  std::deque<Padded<Counter>> counters;
  std::deque<Padded<Gauge>> gauges;
  std::deque<LatencyHistogram> histograms;
  std::vector<Callback> callbacks;

  [[nodiscard]] double sum() const {
    double total = 0;
    for (const auto& counter : counters) {
      total += static_cast<double>(counter.value.get());
    }
    for (const auto& gauge : gauges) {
      total += gauge.value.get();
    }
    for (const Callback& callback : callbacks) {
      total += callback.value();
    }
    return total;
  }

  [[nodiscard]] HistogramSnapshot merged() const {
    HistogramSnapshot total;
    for (const LatencyHistogram& histogram : histograms) {
      total.merge(histogram.snapshot());
    }
    return total;
  }

  [[nodiscard]] bool empty() const {
    return counters.empty() && gauges.empty() && histograms.empty() && callbacks.empty();
  }
};

struct Registry::Family {
  Type type;
  std::string help;
  std::map<Labels, Series> series;  // labels sorted by name
};

CallbackGuard::CallbackGuard(CallbackGuard&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), id_(other.id_) {}

CallbackGuard& CallbackGuard::operator=(CallbackGuard&& other) noexcept {
  std::swap(registry_, other.registry_);
  std::swap(id_, other.id_);
  return *this;
}

CallbackGuard::~CallbackGuard() {
  if (registry_ != nullptr) {
    registry_->remove_callback(id_);
  }
}

Registry::Registry() = default;
Registry::~Registry() = default;

Registry::Series& Registry::series(Type type, std::string_view name, std::string_view help,
                                   Labels labels) {
  PENSTOCK_CHECK(is_legal_name(name));
  for (const auto& label : labels) {
    PENSTOCK_CHECK(is_legal_name(label.first));
  }
  std::sort(labels.begin(), labels.end());
  auto found = families_.find(name);
  if (found == families_.end()) {
    found = families_.emplace(std::string(name), Family{type, std::string(help), {}}).first;
  }
  PENSTOCK_CHECK(found->second.type == type && found->second.help == help);  // I1
  return found->second.series[std::move(labels)];
}

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  const MutexLock lock(mutex_);
  return series(Type::kCounter, name, help, std::move(labels)).counters.emplace_back().value;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  const MutexLock lock(mutex_);
  return series(Type::kGauge, name, help, std::move(labels)).gauges.emplace_back().value;
}

LatencyHistogram& Registry::histogram(std::string_view name, std::string_view help, Labels labels) {
  const MutexLock lock(mutex_);
  return series(Type::kHistogram, name, help, std::move(labels)).histograms.emplace_back();
}

CallbackGuard Registry::gauge_callback(std::string_view name, std::string_view help, Labels labels,
                                       std::function<double()> value) {
  const MutexLock lock(mutex_);
  return add_callback(series(Type::kGauge, name, help, std::move(labels)), std::move(value));
}

CallbackGuard Registry::counter_callback(std::string_view name, std::string_view help,
                                         Labels labels, std::function<double()> value) {
  const MutexLock lock(mutex_);
  return add_callback(series(Type::kCounter, name, help, std::move(labels)), std::move(value));
}

CallbackGuard Registry::add_callback(Series& to, std::function<double()> value) {
  const std::uint64_t id = next_callback_id_++;
  to.callbacks.push_back({id, std::move(value)});
  return {*this, id};
}

void Registry::remove_callback(std::uint64_t id) {
  const MutexLock lock(mutex_);
  for (auto& [name, family] : families_) {
    for (auto& [labels, series] : family.series) {
      std::erase_if(series.callbacks, [id](const auto& callback) { return callback.id == id; });
    }
  }
}

void Registry::write_histograms(std::string& page, const std::string& name, const Family& family) {
  std::string quantiles;
  std::string maxima;
  write_head(page, name, family.help, "histogram");
  write_head(quantiles, name + "_quantile", family.help + " Quantiles since start.", "gauge");
  write_head(maxima, name + "_max", family.help + " Maximum since start.", "gauge");
  for (const auto& [labels, series] : family.series) {
    const HistogramSnapshot snapshot = series.merged();
    write_buckets(page, name, label_text(labels), snapshot);
    write_quantiles(quantiles, name + "_quantile", label_text(labels), snapshot);
    write_line(maxima, name + "_max", label_text(labels), seconds(snapshot.max()));
  }
  page += quantiles;
  page += maxima;
}

void Registry::change_together(const std::function<void()>& change) {
  const MutexLock lock(mutex_);
  change();
}

std::string Registry::expose() const {
  const MutexLock lock(mutex_);
  std::string page;
  for (const auto& [name, family] : families_) {
    if (family.type == Type::kHistogram) {
      write_histograms(page, name, family);
      continue;
    }
    write_head(page, name, family.help, family.type == Type::kCounter ? "counter" : "gauge");
    for (const auto& [labels, series] : family.series) {
      if (!series.empty()) {
        write_line(page, name, label_text(labels), series.sum());
      }
    }
  }
  return page;
}

std::optional<double> Registry::value(std::string_view name, Labels labels) const {
  const MutexLock lock(mutex_);
  std::sort(labels.begin(), labels.end());
  const auto family = families_.find(name);
  if (family == families_.end()) {
    return std::nullopt;
  }
  const auto series = family->second.series.find(labels);
  if (series == family->second.series.end() || series->second.empty()) {
    return std::nullopt;
  }
  return series->second.sum();
}

HistogramSnapshot Registry::histogram_snapshot(std::string_view name, const Labels& labels) const {
  const MutexLock lock(mutex_);
  HistogramSnapshot total;
  const auto family = families_.find(name);
  if (family == families_.end()) {
    return total;
  }
  for (const auto& [own, series] : family->second.series) {
    const auto has = [&own = own](const auto& label) {
      return std::find(own.begin(), own.end(), label) != own.end();
    };
    if (std::all_of(labels.begin(), labels.end(), has)) {
      total.merge(series.merged());
    }
  }
  return total;
}

std::string_view exposition_content_type() {
  return "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace penstock::telemetry
