// Loader fills a PipelineConfig from the sections of a file and from overrides, and collects every
// mistake it meets on the way.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/checks.h"
#include "config/config.h"
#include "config/document.h"
#include "config/settings.h"
#include "core/result.h"

namespace penstock::config {

class Loader {
 public:
  explicit Loader(std::string_view file_name) : file_name_(file_name) {}

  // Sections in the order of the file; later overrides win. Then checks the whole.
  void load(const std::vector<Section>& sections, std::span<const Override> overrides);

  // The configuration, or all mistakes in the order of the file, one per line.
  [[nodiscard]] Result<PipelineConfig> finish();

 private:
  struct Mistake {
    Place place;
    std::string text;
  };

  using Key = std::tuple<std::string, std::size_t, std::string>;  // a Subject that owns its text

  void load_single(const Section& section);
  void load_repeated(const Section& section);
  template <typename S, std::size_t N>
  void load_element(const SectionTable<S, std::vector<S>, N>& table, const Section& section);
  void load_override(const Override& override);
  template <typename Table, typename S>
  void set(const Table& table, std::size_t index, S& to, const Entry& entry,
           const std::string& title);

  template <typename Table>
  void unknown_key(const Table& table, const Entry& entry, const std::string& title);
  void unknown_section(const Section& section);
  void complain(const Subject& subject, std::string complaint);
  void mistake(const Place& place, std::string text);

  std::string file_name_;
  PipelineConfig config_;
  std::map<Key, Place> places_;        // of every setting that was given
  std::map<Key, std::string> titles_;  // of every element of a repeated section
  std::vector<Mistake> mistakes_;
};

}  // namespace penstock::config
