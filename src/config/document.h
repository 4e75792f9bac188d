// Document is a TOML file as a flat list of sections and entries, each knowing where it stands.
//
// It keeps the TOML library out of everything else, and gives overrides (environment, flags) the
// same form as entries of the file, so that all of them are read and checked by the same code.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"

namespace penstock::config {

// Where something was written: "penstock.toml:12" or "--listen".
struct Place {
  std::string source;
  std::uint32_t line = 0;  // 0: not in a file

  [[nodiscard]] std::string text() const {
    return line == 0 ? source : source + ":" + std::to_string(line);
  }
};

// A table of texts, by dotted key: `a.b = "c"` below [x.y] is the entry "a.b" of x's value y.
// Numbers and true and false are texts there, too.
using Properties = std::map<std::string, std::string>;

// What no setting can be: a date, a list of anything but text. Says what it is.
struct Unfit {
  std::string_view name;
};

using Value = std::variant<Unfit, bool, std::int64_t, double, std::string, std::vector<std::string>,
                           Properties>;

// The value as the reader of a message should see it: `"abc"`, `12`, `a table`.
[[nodiscard]] std::string shown(const Value& value);

struct Entry {
  std::string key;
  Value value;
  Place place;
};

struct Section {
  std::string name;       // empty: entries before the first section
  bool repeated = false;  // written [[name]]
  Place place;
  std::vector<Entry> entries;
};

// Sections and entries in the order of the file. kInvalid: not TOML; the message says where.
[[nodiscard]] Result<std::vector<Section>> read_toml(std::string_view text,
                                                     std::string_view file_name);

}  // namespace penstock::config
