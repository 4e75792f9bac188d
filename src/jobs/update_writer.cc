#include "jobs/update_writer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/check.h"
#include "core/json_writer.h"
#include "core/rfc3339.h"
#include "store/key.h"

namespace penstock::jobs {

using store::AggregateColumn;
using store::KeyPart;
using store::KeyTag;
using store::WindowStore;

namespace {

// What all tasks of a job together put out in one commit, about: so much that takes a few
// milliseconds and fits into a transaction with room to spare. The rest follows with the next.
constexpr std::size_t kUpdateBytesPerCommit = 8 * 1024 * 1024;
constexpr std::size_t kUpdatesPerTurn = 256;
constexpr std::size_t kPrefetchDistance = 8;

void append_integer(std::string& out, std::int64_t number) {
  std::array<char, 20> digits;
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), written.ptr);
}

void append_number(std::string& out, const store::Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) {
    append_integer(out, *integer);
  } else if (const auto* fraction = std::get_if<double>(&number)) {
    append_json_number(out, *fraction);
  } else {
    out += "null";
  }
}

void append_part(std::string& out, KeyPart::Kind kind, std::string_view text) {
  switch (kind) {
    case KeyPart::Kind::kNull:
      out += "null";
      break;
    case KeyPart::Kind::kFalse:
      out += "false";
      break;
    case KeyPart::Kind::kTrue:
      out += "true";
      break;
    case KeyPart::Kind::kNumber:
      out += text;
      break;
    case KeyPart::Kind::kString:
      append_json_string(out, text);
      break;
  }
}

// The parts, with commas between.
void append_parts(std::string& out, store::KeyView key) {
  if (key.tag != KeyTag::kComposite) {
    append_part(out, static_cast<KeyPart::Kind>(key.tag), as_text(key.bytes));
    return;
  }
  const auto parts = key_parts(key);
  PENSTOCK_CHECK(parts.has_value());  // only well-formed keys come into a store
  for (std::size_t index = 0; index < parts->size(); ++index) {
    out += index == 0 ? "" : ",";
    append_part(out, (*parts)[index].kind, (*parts)[index].text);
  }
}

}  // namespace

UpdateWriter::UpdateWriter(topology::ProcessorContext& context, WindowStore& store,
                           topology::Output& output, std::chrono::milliseconds interval)
    : context_(context), store_(store), output_(output), interval_(interval) {
  // Ordinary commits carry the updates; this is for when no more events come.
  using std::chrono::milliseconds;
  const auto check_every = std::clamp(interval_ / 4, milliseconds(5), milliseconds(250));
  context_.schedule(topology::ProcessorContext::TimeKind::kWallClock, check_every,
                    [this](Timestamp) {
                      const auto oldest = store_.oldest_change();
                      if (oldest.has_value() && *oldest <= due_until()) {
                        context_.request_commit();
                      }
                    });
}

topology::TimePoint UpdateWriter::due_until() const {
  return context_.draining() ? topology::TimePoint::max() : context_.now() - interval_;
}

void UpdateWriter::write_due() {
  // The output has one partition for each task.
  const std::size_t bytes_max =
      kUpdateBytesPerCommit / static_cast<std::size_t>(output_.partition_count());
  const topology::TimePoint until = due_until();
  do {
    due_.clear();
    store_.take_changes(until, kUpdatesPerTurn, due_);
    for (std::size_t index = 0; index < due_.size(); ++index) {
      if (index + kPrefetchDistance < due_.size()) {
        __builtin_prefetch(due_[index + kPrefetchDistance].row);
      }
      write(due_[index]);
    }
  } while (due_.size() == kUpdatesPerTurn && output_.size_bytes() < bytes_max);
}

void UpdateWriter::write(const WindowStore::Changed& changed) {
  if (changed.window_start != window_start_) {
    set_window(changed.window_start);
  }
  const store::RowKey key(changed.row);
  key_ = "[";
  append_parts(key_, key.view());
  const std::size_t parts_end = key_.size();
  value_ = R"({"key":)";
  value_.append(key_, 0, parts_end);
  key_ += parts_end == 1 ? "" : ",";
  key_ += start_text_;
  value_ += window_text_;
  append_aggregates(WindowStore::cells_of(changed.row));
  value_ += '}';
  const Timestamp last_moment = store_.windows().end_of(changed.window_start) + -1;
  output_.append(last_moment, as_bytes(key_), as_bytes(value_));
}

void UpdateWriter::set_window(Timestamp start) {
  window_start_ = start;
  const std::string start_time = format_rfc3339(start.value());
  const std::string end_time = format_rfc3339(store_.windows().end_of(start).value());
  start_text_ = "\"" + start_time + "\"]";
  window_text_ = R"(],"window_start":")" + start_time + R"(","window_end":")" + end_time + '"';
}

void UpdateWriter::append_aggregates(const std::uint64_t* cells) {
  using Kind = AggregateColumn::Kind;
  const std::vector<AggregateColumn>& columns = store_.layout().columns();
  for (const Kind kind : {Kind::kCount, Kind::kSum, Kind::kMin, Kind::kMax, Kind::kAvg}) {
    bool first = true;
    for (std::size_t index = 0; index < columns.size(); ++index) {
      if (columns[index].kind != kind) {
        continue;
      }
      if (first) {
        value_ += ",\"";
        value_ += to_string(kind);
        value_ += kind == Kind::kCount ? "\":" : "\":{";
      } else {
        value_ += ',';
      }
      first = false;
      if (kind != Kind::kCount) {
        append_json_string(value_, columns[index].pointer);
        value_ += ':';
      }
      append_number(value_, store_.layout().result(cells, index));
    }
    if (!first && kind != Kind::kCount) {
      value_ += '}';
    }
  }
}

}  // namespace penstock::jobs
