// TopicCatalog knows the topics that take events, and makes new ones where that is allowed.
//
// A topic that takes events has a dead letter topic; in auto-creation mode that is also how topics
// of an earlier run are told from those of the engine (outputs, changelogs), which nobody but the
// engine may write to.
//
// Threads   any; a Topic is immutable but for its window.
// Lifetime  Topics live as long as the catalog.
// Errors    kNotFound  no such topic takes events
//           kBusy      a new topic would be one too many
//           and what Log::ensure_topic() gives
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/guarded.h"
#include "core/result.h"
#include "gateway/dedup_window.h"
#include "gateway/gateway.h"
#include "log/log.h"
#include "schema/extract_plan.h"

namespace penstock::gateway {

struct Topic {
  std::string name;
  TopicId id;
  TopicId dead_letters;
  std::int32_t partition_count = 1;
  bool key_required = false;
  ExtractPlan plan;
  // Where the plan's values are.
  std::optional<std::size_t> key_slot;
  std::optional<std::size_t> timestamp_slot;
  std::optional<std::size_t> id_slot;
  std::optional<JsonPointer> id_pointer;
  WindowOptions dedup;
  std::unique_ptr<SharedWindow> ids;  // absent: nothing is deduplicated
};

class TopicCatalog {
 public:
  TopicCatalog(log::Log& log, const GatewayOptions& options) : log_(log), options_(options) {}

  // Makes sure of all topics of the options, and finds those that an earlier run has created.
  [[nodiscard]] Status open();

  // The topic of that name, if it is known. Never waits.
  [[nodiscard]] Result<Topic*> find(std::string_view name);
  // Whether one that is not known may be made, or have been made by another gateway.
  [[nodiscard]] bool may_make(std::string_view name) const;
  // Makes that one. Waits for the log: the work of a TopicMaker.
  [[nodiscard]] Status make_new(std::string_view name);

  // All topics there are now.
  [[nodiscard]] std::vector<Topic*> all();

 private:
  [[nodiscard]] Result<std::unique_ptr<Topic>> make(const TopicOptions& options);
  [[nodiscard]] bool is_output(std::string_view name) const;
  // Of those that come into being by themselves; takes it in, unless somebody was quicker.
  [[nodiscard]] Status add(const log::TopicConfig& config);

  struct Topics {
    std::map<std::string, std::unique_ptr<Topic>, std::less<>> by_name;
    std::size_t auto_created_count = 0;
  };

  log::Log& log_;
  const GatewayOptions& options_;
  Guarded<Topics> topics_;
};

}  // namespace penstock::gateway
