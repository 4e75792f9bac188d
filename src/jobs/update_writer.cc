#include "jobs/update_writer.h"

#include <algorithm>
#include <string_view>
#include <utility>

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

constexpr std::size_t kUpdatesPerTurn = 256;
constexpr std::size_t kPrefetchDistance = 8;
constexpr std::string_view kBeforeParts = R"({"key":[)";

// What put_parts() may write: each part has a tag or a kind and a length, which make up for quotes,
// comma and the words null, true and false.
std::size_t parts_size_max(store::KeyView key) {
  return TextBuffer::json_string_size_max(key.bytes.size()) + sizeof("false");
}

void put_part(TextBuffer& to, KeyPart::Kind kind, std::string_view text) {
  switch (kind) {
    case KeyPart::Kind::kNull:
      to.put("null");
      break;
    case KeyPart::Kind::kFalse:
      to.put("false");
      break;
    case KeyPart::Kind::kTrue:
      to.put("true");
      break;
    case KeyPart::Kind::kNumber:
      to.put(text);
      break;
    case KeyPart::Kind::kString:
      to.put_json_string(text);
      break;
  }
}

// The parts, with commas between.
void put_parts(TextBuffer& to, store::KeyView key) {
  if (key.tag != KeyTag::kComposite) {
    put_part(to, static_cast<KeyPart::Kind>(key.tag), as_text(key.bytes));
    return;
  }
  const auto parts = key_parts(key);
  PENSTOCK_CHECK(parts.has_value());  // only well-formed keys come into a store
  for (std::size_t index = 0; index < parts->size(); ++index) {
    to.put(index == 0 ? "" : ",");
    put_part(to, (*parts)[index].kind, (*parts)[index].text);
  }
}

void put_number(TextBuffer& to, const store::Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) {
    to.put_json_number(*integer);
  } else if (const auto* fraction = std::get_if<double>(&number)) {
    to.put_json_number(*fraction);
  } else {
    to.put("null");
  }
}

}  // namespace

UpdateWriter::UpdateWriter(topology::ProcessorContext& context, WindowStore& store,
                           topology::Output& output, std::chrono::milliseconds interval)
    : context_(context), store_(store), output_(output), interval_(interval) {
  plan_aggregates();
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

// All tasks of a thread together put out about one commit's worth; the rest follows with the next.
void UpdateWriter::write_due() {
  std::size_t& room = context_.commit_room();
  const topology::TimePoint until = due_until();
  while (room > 0) {
    const std::size_t size_before = output_.size_bytes();
    // As many as will fit if all are as large as the largest so far; the first one tells.
    const std::size_t fitting = update_size_max_ > 0 ? room / update_size_max_ : 1;
    const std::size_t count_max = std::clamp<std::size_t>(fitting, 1, kUpdatesPerTurn);
    due_.clear();
    store_.take_changes(until, count_max, due_);
    for (std::size_t index = 0; index < due_.size(); ++index) {
      if (index + kPrefetchDistance < due_.size()) {
        __builtin_prefetch(due_[index + kPrefetchDistance].row);
      }
      write(due_[index]);
    }
    room -= std::min(room, output_.size_bytes() - size_before);
    if (due_.size() < count_max) {
      return;
    }
  }
  context_.request_commit();  // for the rest
}

void UpdateWriter::write(const WindowStore::Changed& changed) {
  if (changed.window_start != window_start_) {
    set_window(changed.window_start);
  }
  const store::RowKey row_key(changed.row);
  const store::KeyView key = row_key.view();
  const std::size_t parts_max = parts_size_max(key);
  key_.clear(parts_max + start_text_.size() + 2);
  key_.put('[');
  put_parts(key_, key);
  const std::string_view parts = key_.text().substr(1);
  value_.clear(kBeforeParts.size() + parts.size() + window_text_.size() + aggregates_size_max_);
  value_.put(kBeforeParts);
  value_.put(parts);
  key_.put(parts.empty() ? "" : ",");
  key_.put(start_text_);
  value_.put(window_text_);
  put_aggregates(WindowStore::cells_of(changed.row));
  update_size_max_ = std::max(update_size_max_, key_.text().size() + value_.text().size());
  output_.append(last_moment_, as_bytes(key_.text()), as_bytes(value_.text()));
}

void UpdateWriter::set_window(Timestamp start) {
  window_start_ = start;
  last_moment_ = store_.windows().end_of(start) + -1;
  const std::string start_time = format_rfc3339(start.value());
  const std::string end_time = format_rfc3339(store_.windows().end_of(start).value());
  start_text_ = "\"" + start_time + "\"]";
  window_text_ = R"(],"window_start":")" + start_time + R"(","window_end":")" + end_time + '"';
}

// All text that does not depend on the row: "count":, "sum":{"/bytes":, and so on.
void UpdateWriter::plan_aggregates() {
  using Kind = AggregateColumn::Kind;
  const std::vector<AggregateColumn>& columns = store_.layout().columns();
  std::string text;
  for (const Kind kind : {Kind::kCount, Kind::kSum, Kind::kMin, Kind::kMax, Kind::kAvg}) {
    bool first = true;
    for (std::size_t index = 0; index < columns.size(); ++index) {
      if (columns[index].kind != kind) {
        continue;
      }
      text += first ? ",\"" + std::string(to_string(kind)) + "\":" : ",";
      if (kind != Kind::kCount) {
        text += first ? "{" : "";
        append_json_string(text, columns[index].pointer);
        text += ':';
      }
      aggregates_.push_back({std::exchange(text, {}), index});
      first = false;
    }
    text += !first && kind != Kind::kCount ? "}" : "";
  }
  after_aggregates_ = text + '}';
  aggregates_size_max_ = after_aggregates_.size();
  for (const Aggregate& aggregate : aggregates_) {
    aggregates_size_max_ += aggregate.before.size() + TextBuffer::kNumberSizeMax;
  }
}

void UpdateWriter::put_aggregates(const std::uint64_t* cells) {
  for (const Aggregate& aggregate : aggregates_) {
    value_.put(aggregate.before);
    put_number(value_, store_.layout().result(cells, aggregate.column));
  }
  value_.put(after_aggregates_);
}

}  // namespace penstock::jobs
