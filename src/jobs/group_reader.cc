#include "jobs/group_reader.h"

#include <algorithm>
#include <cmath>

namespace penstock::jobs {

using store::KeyTag;
using store::KeyView;

namespace {

// Keys are made of scalars only, so what cannot be a number, true or false was a string.
bool is_surely_text(ByteView key) {
  if (key.empty()) {
    return true;
  }
  const std::string_view text = as_text(key);
  const char first = text.front();
  if (first == '-' || (first >= '0' && first <= '9')) {
    return !store::is_json_number(text);
  }
  return text != "true" && text != "false";
}

KeyTag tag_of(const JsonValue& value) {
  switch (value.type) {
    case JsonType::kString:
      return KeyTag::kString;
    case JsonType::kNumber:
      return KeyTag::kNumber;
    case JsonType::kBool:
      return value.raw == "true" ? KeyTag::kTrue : KeyTag::kFalse;
    default:
      return KeyTag::kNull;
  }
}

bool is_scalar(const JsonValue& value) {
  return value.type != JsonType::kObject && value.type != JsonType::kArray;
}

}  // namespace

std::optional<store::InputNumber> number_of(const JsonValue& value) {
  if (const std::optional<std::int64_t> integer = value.as_int64()) {
    return store::InputNumber{false, *integer, 0};
  }
  const std::optional<double> fraction = value.as_double();
  if (!fraction.has_value() || !std::isfinite(*fraction)) {
    return std::nullopt;
  }
  return store::InputNumber{true, 0, *fraction};
}

GroupReader::GroupReader(const GroupPlan& plan) : plan_(plan), extractor_(plan.extract_plan()) {}

void GroupReader::read(const topology::RecordSpan& records) {
  groups_.resize(records.size());
  if (plan_.is_key_only()) {
    read_keys(records);
  } else {
    read_json(records);
  }
}

void GroupReader::read_keys(const topology::RecordSpan& records) {
  ambiguous_.clear();
  for (std::size_t index = 0; index < records.size(); ++index) {
    const ByteView key = records.keys[index];
    if (topology::is_null(key)) {
      groups_[index].reset();
    } else {
      // Field by field: a KeyView made first would be stored in parts and loaded as a whole.
      std::optional<KeyView>& group = groups_[index];
      if (!group.has_value()) {
        group.emplace();
      }
      group->bytes = key;
      group->tag = KeyTag::kString;
      if (!is_surely_text(key)) {
        ambiguous_.push_back(index);
      }
    }
  }
  if (!ambiguous_.empty()) {
    read_ambiguous(records);
  }
}

void GroupReader::read_ambiguous(const topology::RecordSpan& records) {
  extractor_.clear();
  for (const std::size_t index : ambiguous_) {
    extractor_.add(records.values[index]);
  }
  extractor_.run();
  for (std::size_t at = 0; at < ambiguous_.size(); ++at) {
    const JsonValue& value = extractor_.values(at).front();
    // Of an event that does not hold its key (written by another program) the key is text.
    if (value.type == JsonType::kNumber || value.type == JsonType::kBool) {
      groups_[ambiguous_[at]]->tag = tag_of(value);
    }
  }
}

void GroupReader::read_json(const topology::RecordSpan& records) {
  extractor_.clear();
  for (const ByteView value : records.values) {
    extractor_.add(value);
  }
  extractor_.run();
  unescaped_used_ = 0;
  composites_.clear();
  composite_ends_.clear();
  const std::size_t group_size = plan_.group_size();
  for (std::size_t index = 0; index < records.size(); ++index) {
    const std::span<const JsonValue> values = extractor_.values(index).first(group_size);
    groups_[index].reset();
    if (extractor_.ok(index) && std::ranges::all_of(values, is_scalar)) {
      if (group_size == 1) {
        read_single(index, values.front());
      } else {
        append_composite(values);
        groups_[index] = KeyView{{}, KeyTag::kComposite};
      }
    }
    composite_ends_.push_back(composites_.size());
  }
  if (group_size == 1) {
    return;
  }
  // The bytes of all composite keys lie still now.
  for (std::size_t index = 0, begin = 0; index < records.size(); ++index) {
    if (groups_[index].has_value()) {
      groups_[index]->bytes = ByteView(composites_).subspan(begin, composite_ends_[index] - begin);
    }
    begin = composite_ends_[index];
  }
}

void GroupReader::read_single(std::size_t index, const JsonValue& value) {
  const KeyTag tag = tag_of(value);
  if (tag == KeyTag::kNull) {
    groups_[index] = KeyView{as_bytes("null"), tag};
  } else {
    groups_[index] = KeyView{value.escaped ? unescaped(value) : as_bytes(value.raw), tag};
  }
}

void GroupReader::append_composite(std::span<const JsonValue> values) {
  for (const JsonValue& value : values) {
    const auto kind = static_cast<store::KeyPart::Kind>(tag_of(value));
    std::string_view text = value.raw;
    if (kind == store::KeyPart::Kind::kNull) {
      text = "null";
    } else if (value.escaped) {
      text = string_text(value, scratch_);
    }
    store::append_composite_part(composites_, kind, text);
  }
}

// Strings with escapes are rare; each gets a string of its own, kept for reuse.
ByteView GroupReader::unescaped(const JsonValue& value) {
  if (unescaped_used_ == unescaped_.size()) {
    unescaped_.push_back(std::make_unique<std::string>());
  }
  return as_bytes(string_text(value, *unescaped_[unescaped_used_++]));
}

}  // namespace penstock::jobs
