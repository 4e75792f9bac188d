#include "oracle/golden_file.h"

#include <array>
#include <cctype>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace penstock::oracle {
namespace {

// The fields of a line: words, of which those of the form name=value are asked for by name.
class Line {
 public:
  explicit Line(const std::string& text) {
    std::istringstream stream(text);
    std::string word;
    while (stream >> word) {
      words_.push_back(word);
    }
  }

  [[nodiscard]] const std::string& word(std::size_t index) {
    if (index < words_.size()) {
      return words_[index];
    }
    is_valid_ = false;
    return empty_;
  }

  [[nodiscard]] std::string text(std::string_view name) {
    for (const std::string& word : words_) {
      if (word.starts_with(name) && word.size() > name.size() && word[name.size()] == '=') {
        return word.substr(name.size() + 1);
      }
    }
    is_valid_ = false;
    return {};
  }

  [[nodiscard]] std::int64_t number(std::string_view name) { return to_number(text(name)); }

  [[nodiscard]] std::int64_t to_number(const std::string& digits) {
    std::int64_t number = 0;
    std::istringstream stream(digits);
    if (!(stream >> number)) {
      is_valid_ = false;
    }
    return number;
  }

  template <typename Enum, std::size_t kCount>
  [[nodiscard]] Enum one_of(std::string_view name,
                            const std::array<std::pair<std::string_view, Enum>, kCount>& names) {
    const std::string wanted = text(name);
    for (const auto& [known, value] : names) {
      if (known == wanted) {
        return value;
      }
    }
    is_valid_ = false;
    return {};
  }

  [[nodiscard]] bool is_valid() const { return is_valid_; }

 private:
  std::vector<std::string> words_;
  std::string empty_;
  bool is_valid_ = true;
};

constexpr std::array<std::pair<std::string_view, Format>, 5> kFormats{{
    {"text", Format::kText},
    {"number", Format::kNumber},
    {"window", Format::kWindow},
    {"session", Format::kSession},
    {"bytes", Format::kBytes},
}};

constexpr std::array<std::pair<std::string_view, StoreKind>, 6> kStoreKinds{{
    {"table", StoreKind::kTable},
    {"plain", StoreKind::kPlain},
    {"windows", StoreKind::kWindows},
    {"plain_windows", StoreKind::kPlainWindows},
    {"sessions", StoreKind::kSessions},
    {"versioned", StoreKind::kVersioned},
}};

void read_profile(Line& line, Profile& profile) {
  profile.events = line.number("events");
  profile.step_ms = line.number("step");
  profile.late = line.number("late");
  profile.late_by_ms = line.number("late_by");
  profile.jump = line.number("jump");
  profile.jump_by_ms = line.number("jump_by");
  profile.letters = line.number("letters");
  profile.clock = line.number("clock");
  profile.clock_by_ms = line.number("clock_by");
  profile.headers = line.number("headers") != 0;
}

void read_head_line(Line& line, GoldenFile& file) {
  const std::string& what = line.word(0);
  if (what == "topology") {
    file.name = line.word(1);
  } else if (what == "options") {
    file.is_cached = line.number("cached") != 0;
    file.emit_interval_ms = line.number("emit_interval");
  } else if (what == "profile") {
    read_profile(line, file.profile);
  } else if (what == "input") {
    file.profile.inputs.push_back({line.word(1), line.number("keys"), line.number("null_keys"),
                                   line.number("tombstones"), line.number("weight")});
  } else if (what == "output") {
    file.outputs.push_back(
        {line.word(1), line.one_of("key", kFormats), line.one_of("value", kFormats)});
  } else {
    file.stores.push_back({line.word(1), line.one_of("kind", kStoreKinds),
                           line.one_of("key", kFormats), line.one_of("value", kFormats)});
  }
}

// The parts of a golden file, in order.
enum class Part : std::uint8_t { kHead, kDigests, kRuns };

[[nodiscard]] Part read_line(const std::string& text, Part part, int& seed, GoldenFile& file,
                             bool& is_valid) {
  Line line(text);
  const std::string& what = line.word(0);
  if (part != Part::kHead && what == "seed") {
    seed = static_cast<int>(line.to_number(line.word(1)));
    part = Part::kRuns;
  } else if (part == Part::kRuns) {
    file.runs[seed].push_back(text);
  } else if (part == Part::kDigests) {
    file.digests[static_cast<int>(line.to_number(what))] = {
        line.word(1), line.word(2), line.word(3),
        static_cast<std::uint64_t>(line.to_number(line.word(4)))};
  } else if (what == "inputs") {
    part = Part::kDigests;
  } else {
    read_head_line(line, file);
  }
  is_valid = line.is_valid();
  return part;
}

}  // namespace

Result<GoldenFile> GoldenFile::read(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream) {
    return Error(ErrorCode::kNotFound, "cannot read " + path.string());
  }
  GoldenFile file;
  Part part = Part::kHead;
  int seed = 0;
  std::size_t number = 0;
  for (std::string text; std::getline(stream, text);) {
    ++number;
    bool is_valid = true;
    part = read_line(text, part, seed, file, is_valid);
    if (!is_valid) {
      return Error(ErrorCode::kInvalid,
                   path.string() + ":" + std::to_string(number) + ": not understood: " + text);
    }
  }
  return file;
}

}  // namespace penstock::oracle
