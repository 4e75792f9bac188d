#include "console/store_json.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include "core/bytes.h"
#include "core/rfc3339.h"

namespace penstock::console {

namespace {

using store::AggregateColumn;
using store::KeyPart;
using store::Number;
using store::StoreAnswer;
using store::StoreDescription;
using store::StoreEntry;
using store::StoreKind;

void write_key_part(JsonWriter& json, const KeyPart& part) {
  switch (part.kind) {
    case KeyPart::Kind::kNull:
      json.null();
      break;
    case KeyPart::Kind::kFalse:
      json.value(false);
      break;
    case KeyPart::Kind::kTrue:
      json.value(true);
      break;
    case KeyPart::Kind::kNumber:
      json.raw(part.text);
      break;
    case KeyPart::Kind::kString:
      json.value(part.text);
      break;
  }
}

void write_number(JsonWriter& json, const Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) {
    json.value(*integer);
  } else if (const auto* real = std::get_if<double>(&number)) {
    json.value(*real);
  } else {
    json.null();
  }
}

// The columns of one kind as one member: `"count":12` or `"sum":{"/bytes":3456}`.
void write_columns(JsonWriter& json, AggregateColumn::Kind kind, const StoreAnswer& answer,
                   const StoreEntry& entry) {
  bool opened = false;
  for (std::size_t i = 0; i < answer.columns.size(); ++i) {
    const AggregateColumn& column = answer.columns[i];
    if (column.kind != kind) {
      continue;
    }
    if (kind == AggregateColumn::Kind::kCount) {
      json.key(store::to_string(kind));
      write_number(json, entry.aggregates[i]);
      return;
    }
    if (!opened) {
      json.key(store::to_string(kind)).begin_object();
      opened = true;
    }
    json.key(column.pointer);
    write_number(json, entry.aggregates[i]);
  }
  if (opened) {
    json.end_object();
  }
}

constexpr std::array kColumnKinds = {AggregateColumn::Kind::kCount, AggregateColumn::Kind::kSum,
                                     AggregateColumn::Kind::kMin, AggregateColumn::Kind::kMax,
                                     AggregateColumn::Kind::kAvg};

void write_entry(JsonWriter& json, const StoreAnswer& answer, const StoreEntry& entry) {
  json.begin_object().key("key").begin_array();
  for (const KeyPart& part : entry.key) {
    write_key_part(json, part);
  }
  json.end_array();
  if (entry.window) {
    json.key("window_start").value(format_rfc3339(entry.window->start.value()));
    json.key("window_end").value(format_rfc3339(entry.window->end.value()));
  }
  for (const AggregateColumn::Kind kind : kColumnKinds) {
    write_columns(json, kind, answer, entry);
  }
  if (entry.value) {
    json.key("value").raw(as_text(entry.value->json));
    json.key("timestamp").value(format_rfc3339(entry.value->timestamp.value()));
    json.key("partition").value(entry.value->partition.value());
    json.key("offset").value(entry.value->offset.value());
  }
  json.end_object();
}

// `complete_to` comes sorted by topic, so that each topic is one object.
void write_complete_to(JsonWriter& json, const std::vector<store::CompleteTo>& complete_to) {
  json.begin_object();
  for (std::size_t i = 0; i < complete_to.size(); ++i) {
    const store::CompleteTo& at = complete_to[i];
    if (i == 0 || complete_to[i - 1].topic != at.topic) {
      json.key(at.topic).begin_object();
    }
    json.key(to_string(at.partition)).value(at.offset.value());
    if (i + 1 == complete_to.size() || complete_to[i + 1].topic != at.topic) {
      json.end_object();
    }
  }
  json.end_object();
}

void write_columns(JsonWriter& json, const StoreDescription& description) {
  for (const AggregateColumn::Kind kind : kColumnKinds) {
    json.key(store::to_string(kind));
    const auto is_wanted = [&](const AggregateColumn& column) { return column.kind == kind; };
    if (kind == AggregateColumn::Kind::kCount) {
      json.value(std::any_of(description.columns.begin(), description.columns.end(), is_wanted));
      continue;
    }
    json.begin_array();
    for (const AggregateColumn& column : description.columns) {
      if (is_wanted(column)) {
        json.value(column.pointer);
      }
    }
    json.end_array();
  }
}

void write_window_settings(JsonWriter& json, const StoreDescription& description) {
  json.key("window_ms").value(description.window.count());
  json.key("grace_ms").value(description.grace.count());
  json.key("retention_ms");
  if (description.retention) {
    json.value(description.retention->count());
  } else {
    json.null();
  }
  write_columns(json, description);
}

}  // namespace

void write_json(JsonWriter& json, const StoreDescription& description) {
  json.begin_object().key("name").value(description.name);
  json.key("kind").value(description.kind == StoreKind::kWindow ? "window" : "table");
  json.key("topic").value(description.topic);
  json.key("group_by").begin_array();
  for (const std::string& pointer : description.group_by) {
    json.value(pointer);
  }
  json.end_array();
  if (description.kind == StoreKind::kWindow) {
    write_window_settings(json, description);
  }
  json.key("entries").value(description.entry_count);
  json.key("bytes").value(description.size_bytes);
  json.key("partitions").value(description.partition_count);
  json.key("partitions_ready").value(description.partitions_ready);
  json.end_object();
}

std::string to_json(const StoreAnswer& answer) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("entries").begin_array();
  for (const StoreEntry& entry : answer.entries) {
    write_entry(json, answer, entry);
  }
  json.end_array().key("cursor");
  if (answer.next_cursor) {
    json.value(*answer.next_cursor);
  } else {
    json.null();
  }
  json.key("complete_to");
  write_complete_to(json, answer.complete_to);
  if (answer.part) {
    json.key("part").begin_object().key("partitions").value(answer.part->partitions);
    json.key("of").value(answer.part->of).end_object();
  }
  json.end_object();
  return text;
}

}  // namespace penstock::console
