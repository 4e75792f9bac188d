#include "penstock/dead_letters.h"

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "core/json_writer.h"
#include "core/rfc3339.h"
#include "core/utf8.h"
#include "os/pause.h"
#include "record/dead_letter.h"

namespace penstock::app {
namespace {

using Json = nlohmann::json;

constexpr int kPageSize = 1000;

// One of the letters that GET /v1/dead-letters/{topic} answers.
Result<DeadLetter> parse_letter(const Json& json) {
  if (!json.is_object() || !json.contains("offset")) {
    return Error(ErrorCode::kInvalid, "the server sent something that is not a dead letter");
  }
  DeadLetter letter;
  letter.offset = json.value("offset", std::int64_t{0});
  letter.code = json.value("code", "");
  letter.message = json.value("message", "");
  letter.time = json.value("time", "");
  letter.source = json.value("source", "");
  letter.topic = json.value("topic", "");
  letter.sink = json.value("sink", "");
  letter.replays = json.value("replays", std::uint32_t{0});
  letter.quarantined = json.value("quarantined", false);
  letter.bytes = json.value("event", "");
  if (json.contains("event_base64")) {
    const auto bytes = decode_base64(json["event_base64"].get<std::string>());
    if (!bytes) {
      return Error(ErrorCode::kInvalid, "the server sent bytes that are not base64");
    }
    letter.bytes = as_text(*bytes);
  }
  return letter;
}

void pad(std::ostream& out, std::string_view text, std::size_t width) {
  out << text << std::string(width > text.size() ? width - text.size() : 1, ' ');
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
    const auto byte = static_cast<unsigned char>(c);
    encoded +=
        is_plain ? std::string(1, c) : std::string{'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return encoded;
}

// The filter's parameters, each with a "&" in front.
std::string filter_parameters(const DeadLetterFilter& filter) {
  std::string text =
      "&code=" + percent_encoded(filter.code) + "&sink=" + percent_encoded(filter.sink);
  if (filter.since_ms) {
    text += "&since=" + std::to_string(*filter.since_ms);
  }
  if (filter.until_ms) {
    text += "&until=" + std::to_string(*filter.until_ms);
  }
  if (filter.quarantined) {
    text += std::string("&quarantined=") + (*filter.quarantined ? "true" : "false");
  }
  return text;
}

Result<Json> get_json(Remote& remote, const std::string& target) {
  PENSTOCK_TRY_ASSIGN(const std::string body, remote.get(target));
  Json answer = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) {
    return Error(ErrorCode::kInvalid, "the server sent an answer that is none");
  }
  return answer;
}

// It knows no limit.
Result<Json> get_stats(Remote& remote, const DeadLetterFilter& filter) {
  return get_json(remote, "/v1/dead-letters?topic=" + percent_encoded(filter.topic) +
                              filter_parameters(filter));
}

// The letters of one topic that match, `left` of them at most.
Status visit_topic(Remote& remote, const std::string& topic, const DeadLetterFilter& filter,
                   std::uint64_t& left, DeadLetterVisitor& visit) {
  const std::string target = "/v1/dead-letters/" + percent_encoded(topic) +
                             "?limit=" + std::to_string(kPageSize) + filter_parameters(filter);
  // Letters that arrive while this runs are left for the next time, so that a replay ends.
  std::optional<std::int64_t> end;
  for (std::int64_t offset = 0; left > 0 && (!end || offset < *end);) {
    PENSTOCK_TRY_ASSIGN(const Json page,
                        get_json(remote, target + "&offset=" + std::to_string(offset)));
    end = end.value_or(page.value("end", std::int64_t{0}));
    for (const Json& json : page.value("letters", Json::array())) {
      PENSTOCK_TRY_ASSIGN(const DeadLetter letter, parse_letter(json));
      if (letter.offset < *end && left > 0) {
        PENSTOCK_TRY(visit(letter));
        --left;
      }
    }
    const std::int64_t next = page.value("next_offset", std::int64_t{0});
    if (next <= offset) {
      return {};
    }
    offset = next;
  }
  return {};
}

// "  12  sink_refused by orders_db", and a bar for each hour.
void show_stats(const Json& topic, std::ostream& out) {
  constexpr std::uint64_t kBarMax = 40;
  out << topic.value("topic", "") << ": " << topic.value("count", std::uint64_t{0})
      << " dead letters from " << topic.value("oldest", "") << " to " << topic.value("newest", "")
      << '\n';
  for (const Json& reason : topic.value("reasons", Json::array())) {
    out << std::setw(10) << reason.value("count", std::uint64_t{0}) << "  "
        << reason.value("code", "");
    if (reason.contains("sink")) {
      out << " by " << reason.value("sink", "");
    }
    out << '\n';
  }
  const Json hours = topic.value("hours", Json::array());
  std::uint64_t most = 1;
  for (const Json& hour : hours) {
    most = std::max(most, hour.value("count", std::uint64_t{0}));
  }
  for (const Json& hour : hours) {
    const std::uint64_t count = hour.value("count", std::uint64_t{0});
    out << std::setw(10) << count << "  " << hour.value("hour", "") << "  "
        << std::string((count * kBarMax + most - 1) / most, '#') << '\n';
  }
}

struct ReplayAnswer {
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t not_taken = 0;
};

// The request itself was refused: no reason not to send the others.
bool is_refusal(const Error& error) {
  return error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kNotFound;
}

Result<ReplayAnswer> send_again(Remote& remote, const DeadLetter& letter, const std::string& body) {
  net::ClientRequest request;
  request.method = "POST";
  request.target = "/v1/dead-letters/" + percent_encoded(letter.topic) + "/" +
                   std::to_string(letter.offset) + "/replay";
  request.body = body;
  Result<std::string> answered = remote.send(request);
  for (int attempt = 0; !answered && answered.error().code() == ErrorCode::kBusy && attempt < 10;
       ++attempt) {
    os::pause(std::chrono::seconds(1));  // what Retry-After asks for
    answered = remote.send(request);
  }
  if (!answered && is_refusal(answered.error())) {
    return ReplayAnswer{.not_taken = 1};
  }
  if (!answered) {
    return answered.error().with("dead letter " + std::to_string(letter.offset) + " of " +
                                 letter.topic);
  }
  const Json answer = Json::parse(*answered, nullptr, /*allow_exceptions=*/false);
  return ReplayAnswer{answer.value("accepted", std::uint64_t{0}),
                      answer.value("duplicates", std::uint64_t{0}),
                      answer.value("dead_lettered", std::uint64_t{0}), 0};
}

// What a replay asks for, beside the letter.
std::string replay_body(const ReplayOptions& options) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("by").value(options.by);
  json.key("quarantined").value(options.filter.quarantined.value_or(false));
  if (!options.patch.empty()) {
    json.key("patch").raw(options.patch);
  }
  json.end_object();
  return body;
}

Result<std::uint64_t> count_all(Remote& remote, const DeadLetterFilter& filter) {
  PENSTOCK_TRY_ASSIGN(const Json stats, get_stats(remote, filter));
  std::uint64_t count = 0;
  for (const Json& topic : stats.value("topics", Json::array())) {
    count += topic.value("count", std::uint64_t{0});
  }
  return count;
}

}  // namespace

Status for_each_dead_letter(Remote& remote, const DeadLetterFilter& filter,
                            DeadLetterVisitor visit) {
  PENSTOCK_TRY_ASSIGN(const Json stats, get_stats(remote, filter));
  std::uint64_t left = filter.limit;
  for (const Json& topic : stats.value("topics", Json::array())) {
    PENSTOCK_TRY(visit_topic(remote, topic.value("topic", ""), filter, left, visit));
  }
  return {};
}

Status list_dead_letters(Remote& remote, const DeadLetterFilter& filter, std::ostream& out) {
  PENSTOCK_TRY_ASSIGN(const Json stats, get_stats(remote, filter));
  std::map<std::string, std::map<std::string, std::uint64_t>> counts;
  for (const Json& topic : stats.value("topics", Json::array())) {
    for (const Json& reason : topic.value("reasons", Json::array())) {
      counts[topic.value("topic", "")][reason.value("code", "")] +=
          reason.value("count", std::uint64_t{0});
    }
  }
  if (counts.empty()) {
    out << "no dead letters\n";
    return {};
  }
  pad(out, "TOPIC", 32);
  pad(out, "REASON", 24);
  out << "COUNT\n";
  for (const auto& [topic, codes] : counts) {
    for (const auto& [code, count] : codes) {
      pad(out, topic, 32);
      pad(out, code, 24);
      out << count << '\n';
    }
  }
  return {};
}

Status count_dead_letters(Remote& remote, const DeadLetterFilter& filter, std::ostream& out) {
  PENSTOCK_TRY_ASSIGN(const Json answer, get_stats(remote, filter));
  if (!answer.contains("topics")) {
    return Error(ErrorCode::kInvalid, "the server sent an answer that is none");
  }
  for (const Json& topic : answer["topics"]) {
    show_stats(topic, out);
  }
  if (answer["topics"].empty()) {
    out << "no dead letters\n";
  }
  if (!answer.value("complete", true)) {
    out << "there are more: only the oldest million of a topic are counted\n";
  }
  return {};
}

Status show_dead_letters(Remote& remote, const DeadLetterFilter& filter, std::ostream& out) {
  return for_each_dead_letter(remote, filter, [&](const DeadLetter& letter) -> Status {
    std::string line;
    JsonWriter json(line);
    json.begin_object().key("topic").value(letter.topic).key("offset").value(letter.offset);
    json.key("time").value(letter.time).key("code").value(letter.code);
    json.key("message").value(letter.message).key("source").value(letter.source);
    if (!letter.sink.empty()) {
      json.key("sink").value(letter.sink);
    }
    json.key("replays").value(letter.replays).key("quarantined").value(letter.quarantined);
    if (is_utf8(letter.bytes)) {
      json.key("event").value(letter.bytes);
    } else {
      std::string base64;
      append_base64(base64, as_bytes(letter.bytes));
      json.key("event_base64").value(base64);
    }
    json.end_object();
    out << line << '\n';
    return {};
  });
}

Status show_dead_letter_actions(Remote& remote, const DeadLetterFilter& filter, std::ostream& out) {
  for (std::int64_t offset = 0;;) {
    PENSTOCK_TRY_ASSIGN(const std::string page,
                        remote.get("/v1/topics/" + std::string(kDeadLetterActionsTopic) +
                                   "/events?partition=0&limit=" + std::to_string(kPageSize) +
                                   "&offset=" + std::to_string(offset)));
    if (page.empty()) {
      return {};
    }
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
      const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
      const Json action = record.is_object() ? record.value("value", Json()) : Json();
      if (!action.is_object()) {
        return Error(ErrorCode::kInvalid, "the server sent something that is not a note");
      }
      offset = record.value("offset", offset) + 1;
      if (filter.topic.empty() || action.value("topic", "") == filter.topic) {
        Json shown = {{"time", record.value("timestamp", Json())}};
        shown.update(action);
        out << shown.dump() << '\n';
      }
    }
  }
}

Result<std::uint64_t> purge_dead_letters(Remote& remote, const DeadLetterFilter& filter,
                                         const std::string& by) {
  net::ClientRequest request;
  request.method = "POST";
  request.target = "/v1/dead-letters/" + percent_encoded(filter.topic) + "/purge";
  std::string wanted;
  JsonWriter json(wanted);
  json.begin_object().key("by").value(by);
  if (filter.until_ms) {
    json.key("until").value(format_rfc3339(*filter.until_ms));
  }
  json.end_object();
  request.body = wanted;
  PENSTOCK_TRY_ASSIGN(const std::string body, remote.send(request));
  const Json answer = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) {
    return Error(ErrorCode::kInvalid, "the server sent an answer that is none");
  }
  return answer.value("purged", std::uint64_t{0});
}

Result<ReplaySummary> replay_dead_letters(Remote& remote, ReplayOptions options,
                                          std::ostream& progress) {
  options.filter.quarantined = options.filter.quarantined.value_or(false);
  const std::string body = replay_body(options);
  ReplaySummary summary;
  os::Pacer pacer(options.events_per_second);
  std::uint64_t replayed = 0;
  const auto replay = [&](const DeadLetter& letter) -> Status {
    ++summary.by_code[letter.code];
    pacer.wait_for_turn();
    PENSTOCK_TRY_ASSIGN(const ReplayAnswer answer, send_again(remote, letter, body));
    summary.accepted += answer.accepted;
    summary.duplicates += answer.duplicates;
    summary.dead_lettered += answer.dead_lettered;
    summary.not_taken += answer.not_taken;
    if (++replayed % 1000 == 0) {
      progress << "replayed " << replayed << " dead letters\n" << std::flush;
    }
    return {};
  };
  PENSTOCK_TRY(for_each_dead_letter(remote, options.filter, replay));
  if (!*options.filter.quarantined) {
    DeadLetterFilter left = options.filter;
    left.quarantined = true;
    PENSTOCK_TRY_ASSIGN(summary.in_quarantine, count_all(remote, left));
  }
  return summary;
}

}  // namespace penstock::app
