#include "gateway/replay_route.h"

#include <charconv>
#include <memory>
#include <utility>

#include "core/check.h"
#include "core/json_tree.h"
#include "core/json_writer.h"

namespace penstock::gateway {
namespace {

constexpr std::size_t kBySizeMax = 200;

std::optional<Offset> parse_offset(const std::string& text) {
  std::int64_t offset = 0;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, offset);
  return error == std::errc() && after == end && offset >= 0 ? std::optional(Offset(offset))
                                                             : std::nullopt;
}

void refuse(net::Responder& responder, const Error& error) {
  switch (error.code()) {
    case ErrorCode::kNotFound:
      responder.send_error(404, "unknown_dead_letter", error.message());
      return;
    case ErrorCode::kBusy:
      responder.send_error(429, "overloaded", error.message());
      return;
    case ErrorCode::kInvalid:
      responder.send_error(400, "bad_request", error.message());
      return;
    default:
      responder.send_error(503, "unavailable", error.message());
  }
}

// What is kept of a replay; the outcome is added when it is known.
std::string begin_note(std::string_view topic, Offset letter, const StoredLetter& stored,
                       bool edited, std::string_view by, std::string_view from) {
  std::string note;
  JsonWriter json(note);
  json.begin_object().key("action").value("replay").key("topic").value(topic);
  json.key("offset").value(letter.value()).key("code").value(stored.code);
  json.key("replays").value(stored.replays + 1).key("edited").value(edited);
  json.key("by").value(by).key("from").value(from);
  return note;
}

}  // namespace

void ReplayRoute::take(net::RequestPtr http, net::Responder responder) {
  const std::string& name = http->path_parameters[0];
  const auto topic = shared_.topics.find(name);
  const auto offset = parse_offset(http->path_parameters[1]);
  if (!topic || !offset.has_value()) {
    refuse(responder, Error(ErrorCode::kNotFound, "there is no such dead letter"));
    return;
  }
  auto wanted = read_body(http->body.text());
  if (!wanted) {
    refuse(responder, wanted.error());
    return;
  }
  const std::uint64_t id = next_id_++;
  const TopicPartition letters{(*topic)->dead_letters, PartitionId(0)};
  const Status taken = shared_.work.submit([this, id, letters, letter = *offset] {
    loop_.post([this, id, found = shared_.letters.read(letters, letter)]() mutable {
      on_letter(id, std::move(found));
    });
  });
  if (!taken) {
    refuse(responder, taken.error());
    return;
  }
  waiting_.emplace(id, Waiting{std::move(http), std::move(responder), *offset, *std::move(wanted)});
}

Result<ReplayRoute::Wanted> ReplayRoute::read_body(std::string_view body) {
  Wanted wanted;
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return wanted;
  }
  PENSTOCK_TRY_ASSIGN(const JsonTree tree, parse_json(body));
  for (const JsonTree& member : tree.children) {
    if (member.name == "patch") {
      PENSTOCK_TRY_ASSIGN(wanted.patch, JsonPatch::from(member));
    } else if (member.name == "by" && member.kind == JsonTree::Kind::kString &&
               member.text.size() <= kBySizeMax) {
      wanted.by = member.text;
    } else if (member.name == "quarantined" && member.kind == JsonTree::Kind::kBool) {
      wanted.also_quarantined = member.is_true();
    } else {
      return Error(ErrorCode::kInvalid,
                   "the body may have \"patch\" (a list), \"by\" (a text of at most 200 bytes) and "
                   "\"quarantined\" (true or false)");
    }
  }
  return wanted;
}

void ReplayRoute::on_letter(std::uint64_t id, Result<StoredLetter> letter) {
  auto node = waiting_.extract(id);
  PENSTOCK_CHECK(!node.empty());
  Waiting& waiting = node.mapped();
  if (!letter) {
    refuse(waiting.responder, letter.error());
    return;
  }
  if (letter->replays >= shared_.replays_max && !waiting.wanted.also_quarantined) {
    waiting.responder.send_error(409, "quarantined",
                                 "the dead letter was replayed " + std::to_string(letter->replays) +
                                     " times; \"quarantined\": true replays it all the same");
    return;
  }
  if (waiting.wanted.patch.has_value()) {
    auto edited = waiting.wanted.patch->apply(letter->event);
    if (!edited) {
      waiting.responder.send_error(422, "patch_does_not_fit", edited.error().message());
      return;
    }
    letter->event = *std::move(edited);
  }
  replay(std::move(waiting), *letter);
}

void ReplayRoute::replay(Waiting waiting, const StoredLetter& letter) {
  IngestRequest request{.http = std::move(waiting.http)};
  request.topic = request.http->path_parameters[0];
  request.replays = letter.replays + 1;
  request.letter = IngestRequest::ReplayedLetter{
      waiting.letter,
      begin_note(request.topic, waiting.letter, letter, waiting.wanted.patch.has_value(),
                 waiting.wanted.by, request.http->remote_address)};
  // From here on it is the event's request: its body and whoever sent it first.
  request.http->body.clear();
  request.http->body.append(as_bytes(letter.event));
  request.http->remote_address = letter.source;
  ingest_.take(std::move(request), std::move(waiting.responder));
}

}  // namespace penstock::gateway
