#include "gateway/topic_catalog.h"

#include <algorithm>
#include <utility>

#include "record/dead_letter.h"

namespace penstock::gateway {

namespace {

constexpr std::string_view kInternalPrefix = "__";
constexpr std::size_t kNameSizeMax = 249 - 4;  // the dead letter topic's name is longer

bool may_be_created(std::string_view name) {
  const bool allowed = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return allowed && !name.empty() && name.size() <= kNameSizeMax && name != "." && name != ".." &&
         !name.starts_with(kInternalPrefix) && !is_dead_letter_topic(name);
}

Error no_such_topic(std::string_view name) {
  return {ErrorCode::kNotFound, "no topic '" + std::string(name) + "' takes events"};
}

std::optional<std::size_t> add_pointer(const std::optional<JsonPointer>& pointer,
                                       std::vector<JsonPointer>& pointers) {
  if (!pointer.has_value()) {
    return std::nullopt;
  }
  pointers.push_back(*pointer);
  return pointers.size() - 1;
}

}  // namespace

Status TopicCatalog::open() {
  for (const TopicOptions& topic : options_.topics) {
    PENSTOCK_TRY_ASSIGN(std::unique_ptr<Topic> made, make(topic));
    topics_.with([&](Topics& topics) { topics.by_name[made->name] = std::move(made); });
  }
  if (!options_.auto_create.has_value()) {
    return {};
  }
  for (const log::TopicInfo& known : log_.topics()) {
    const std::string& name = known.config.name;
    if (!find(name) && may_make(name) && log_.topic(dead_letter_topic(name))) {
      PENSTOCK_TRY(add(known.config));
    }
  }
  return {};
}

Result<Topic*> TopicCatalog::find(std::string_view name) {
  Topic* const known = topics_.with([&](Topics& topics) {
    const auto found = topics.by_name.find(name);
    return found == topics.by_name.end() ? nullptr : found->second.get();
  });
  return known != nullptr ? Result<Topic*>(known) : no_such_topic(name);
}

bool TopicCatalog::may_make(std::string_view name) const {
  return options_.auto_create.has_value() && may_be_created(name) && !is_output(name);
}

bool TopicCatalog::is_output(std::string_view name) const {
  return std::find(options_.outputs.begin(), options_.outputs.end(), name) !=
         options_.outputs.end();
}

std::vector<Topic*> TopicCatalog::all() {
  return topics_.with([](Topics& topics) {
    std::vector<Topic*> all;
    all.reserve(topics.by_name.size());
    for (const auto& [name, topic] : topics.by_name) {
      all.push_back(topic.get());
    }
    return all;
  });
}

// Another gateway may have made it since; and it may be a topic of the engine's.
Status TopicCatalog::make_new(std::string_view name) {
  if (find(name)) {
    return {};
  }
  if (const auto existing = log_.topic(name)) {
    return log_.topic(dead_letter_topic(name)) ? add(existing->config) : no_such_topic(name);
  }
  const bool full = topics_.with(
      [&](Topics& topics) { return topics.auto_created_count >= options_.auto_created_max; });
  if (full) {
    return Error(ErrorCode::kBusy, "no topic '" + std::string(name) + "', and " +
                                       std::to_string(options_.auto_created_max) +
                                       " have been created already");
  }
  log::TopicConfig config = options_.auto_create->log;
  config.name = std::string(name);
  return add(config);
}

Status TopicCatalog::add(const log::TopicConfig& config) {
  TopicOptions wanted = *options_.auto_create;
  wanted.log = config;
  PENSTOCK_TRY_ASSIGN(std::unique_ptr<Topic> made, make(wanted));
  topics_.with([&](Topics& topics) {
    const auto [at, inserted] = topics.by_name.try_emplace(config.name, std::move(made));
    topics.auto_created_count += inserted ? 1 : 0;
  });
  return {};
}

Result<std::unique_ptr<Topic>> TopicCatalog::make(const TopicOptions& options) {
  // The dead letter topic first: a topic without one would not be found again after a crash.
  log::TopicConfig dead_letters;
  dead_letters.name = dead_letter_topic(options.log.name);
  dead_letters.retention_time = options_.dead_letter_retention;
  PENSTOCK_TRY_ASSIGN(const log::TopicInfo dead_letters_info, log_.ensure_topic(dead_letters));
  PENSTOCK_TRY_ASSIGN(const log::TopicInfo info, log_.ensure_topic(options.log));

  auto topic = std::make_unique<Topic>();
  topic->name = options.log.name;
  topic->id = info.id;
  topic->dead_letters = dead_letters_info.id;
  topic->partition_count = info.config.partition_count;
  topic->key_required = options.key.has_value() && options.key_required;
  std::vector<JsonPointer> pointers;
  topic->key_slot = add_pointer(options.key, pointers);
  topic->timestamp_slot = add_pointer(options.timestamp, pointers);
  topic->id_slot = add_pointer(options.id, pointers);
  topic->plan = ExtractPlan::compile(pointers);
  topic->id_pointer = options.id;
  topic->dedup = options.dedup;
  if (options.id.has_value()) {
    topic->ids = std::make_unique<SharedWindow>(options.dedup);
  }
  return topic;
}

}  // namespace penstock::gateway
