// Checks that need more than one setting: names that must be unique or known, limits that must fit
// each other.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace penstock::config {

// What a complaint is about: a setting of a section, or of one element of a repeated one.
struct Subject {
  std::string_view section;  // "topic"
  std::size_t index = 0;     // in PipelineConfig::topics etc.; 0 for single sections
  std::string_view key;      // "name"
};

// `complaint` completes a sentence that begins with the setting: "must be larger than ...".
using Complain = std::function<void(const Subject& subject, std::string complaint)>;

void check_config(const PipelineConfig& config, const Complain& complain);

}  // namespace penstock::config
