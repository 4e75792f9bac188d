#include "gateway/purge_route.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/json_tree.h"
#include "core/json_writer.h"
#include "core/rfc3339.h"
#include "record/record_batch.h"

namespace penstock::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBySizeMax = 200;
constexpr auto kLook = 10ms;  // how long one job waits for the note before it lets others go first

void refuse(net::Responder& responder, const Error& error) {
  if (error.code() == ErrorCode::kInvalid) {
    responder.send_error(400, "bad_request", error.message());
  } else if (error.code() == ErrorCode::kBusy) {
    responder.send_error(429, "overloaded", error.message());
  } else {
    responder.send_error(503, "unavailable", error.message());
  }
}

}  // namespace

void PurgeRoute::take(net::RequestPtr http, net::Responder responder) {
  const std::string& name = http->path_parameters[0];
  const auto topic = shared_.topics.find(name);
  if (!topic) {
    responder.send_error(404, "unknown_topic", topic.error().message());
    return;
  }
  auto wanted = read_body(http->body.text());
  if (!wanted) {
    refuse(responder, wanted.error());
    return;
  }
  const std::uint64_t id = next_id_++;
  Purge purge{
      id, name, {(*topic)->dead_letters, PartitionId(0)}, *std::move(wanted), http->remote_address};
  const Status taken =
      shared_.work.submit([this, asked = std::move(purge)]() mutable { begin(std::move(asked)); });
  if (!taken) {
    refuse(responder, taken.error());
    return;
  }
  waiting_.emplace(id, std::move(responder));
}

Result<PurgeRoute::Wanted> PurgeRoute::read_body(std::string_view body) {
  Wanted wanted;
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return wanted;
  }
  PENSTOCK_TRY_ASSIGN(const JsonTree tree, parse_json(body));
  for (const JsonTree& member : tree.children) {
    const bool is_text = member.kind == JsonTree::Kind::kString && member.text.size() <= kBySizeMax;
    const auto time = member.name == "until" && is_text ? parse_rfc3339(member.text) : std::nullopt;
    if (time.has_value()) {
      wanted.until = Timestamp(*time);
    } else if (member.name == "by" && is_text) {
      wanted.by = member.text;
    } else {
      return Error(
          ErrorCode::kInvalid,
          "the body may have \"until\" (a time such as 2026-01-31T08:00:00Z) and \"by\" (a "
          "text of at most 200 bytes)");
    }
  }
  return wanted;
}

Status PurgeRoute::find_range(Purge& purge) const {
  PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets known, shared_.log.offsets(purge.letters));
  purge.start = known.start;
  purge.before = known.end;
  if (purge.wanted.until.has_value()) {
    PENSTOCK_TRY_ASSIGN(purge.before,
                        shared_.log.offset_for_time(purge.letters, *purge.wanted.until));
    purge.before = std::clamp(purge.before, known.start, known.end);
  }
  return {};
}

void PurgeRoute::begin(Purge purge) {
  if (const Status found = find_range(purge); !found) {
    finish(purge, found);
    return;
  }
  auto noted = append_note(purge);
  if (!noted) {
    finish(purge, noted.error());
    return;
  }
  go_on(std::move(purge), *std::move(noted));
}

void PurgeRoute::go_on(Purge purge, Completion<void> noted) {
  if (!noted.wait_for(kLook)) {
    const Status again = shared_.work.submit([this, purge, done = std::move(noted)]() mutable {
      go_on(std::move(purge), std::move(done));
    });
    if (!again) {
      finish(purge, again);
    }
    return;
  }
  finish(purge, remove(purge, noted));
}

Status PurgeRoute::remove(const Purge& purge, Completion<void>& noted) {
  PENSTOCK_TRY(noted.take());
  return shared_.log.delete_records({{purge.letters, purge.before}});
}

Result<Completion<void>> PurgeRoute::append_note(const Purge& purge) {
  std::string note;
  JsonWriter json(note);
  json.begin_object().key("action").value("purge").key("topic").value(purge.topic);
  json.key("start").value(purge.start.value()).key("before").value(purge.before.value());
  json.key("by").value(purge.wanted.by).key("from").value(purge.from).end_object();
  const std::string key = purge.topic + "\npurge";
  RecordBatchBuilder builder;
  builder.append(Timestamp(shared_.clock.wall_now().time_since_epoch().count()), as_bytes(key),
                 as_bytes(note));
  std::vector<log::PartitionBatch> batches;
  batches.push_back({{shared_.actions_topic, PartitionId(0)}, builder.finish()});
  auto [done, source] = make_completion<void>();
  PENSTOCK_TRY(shared_.log.append(
      std::move(batches), [answer = std::move(source)](Result<log::AppendResult> result) mutable {
        answer.set(result ? Status() : std::move(result).error());
      }));
  return std::move(done);
}

void PurgeRoute::finish(const Purge& purge, const Status& status) {
  loop_.post([this, purge, status] { on_finished(purge.id, purge, status); });
}

void PurgeRoute::on_finished(std::uint64_t id, const Purge& purge, const Status& status) {
  auto node = waiting_.extract(id);
  PENSTOCK_CHECK(!node.empty());
  if (!status) {
    refuse(node.mapped(), status.error());
    return;
  }
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("purged").value(purge.before - purge.start);
  json.key("before").value(purge.before.value()).end_object();
  node.mapped().send({.body = body});
}

}  // namespace penstock::gateway
