#include "penstock/dead_letters.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iomanip>
#include <memory>
#include <ostream>
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

std::string text_header(const Json& headers, std::string_view name) {
  const auto found = headers.find(std::string(name));
  return found != headers.end() && found->is_string() ? found->get<std::string>() : "";
}

// A line of GET .../events?value=base64.
Result<DeadLetter> parse_letter(std::string_view line) {
  const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!record.is_object() || !record.contains("offset") || !record.contains("headers")) {
    return Error(ErrorCode::kInvalid, "the server sent a line that is not an event");
  }
  const Json& headers = record["headers"];
  DeadLetter letter;
  letter.offset = record["offset"].get<std::int64_t>();
  letter.code = text_header(headers, dead_letter::kCode);
  letter.message = text_header(headers, dead_letter::kMessage);
  letter.time = text_header(headers, dead_letter::kTime);
  letter.source = text_header(headers, dead_letter::kSource);
  letter.topic = text_header(headers, dead_letter::kTopic);
  letter.sink = text_header(headers, dead_letter::kSink);
  const std::string replays = text_header(headers, dead_letter::kReplays);
  // Absent from a letter that was never replayed: 0.
  static_cast<void>(
      std::from_chars(replays.data(), replays.data() + replays.size(), letter.replays));
  if (const Json& value = record["value"]; value.is_object() && value.contains("base64")) {
    const auto bytes = decode_base64(value["base64"].get<std::string>());
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

// One page of one dead letter topic: the letters from `offset` on; empty at its end.
Result<std::vector<DeadLetter>> read_page(Remote& remote, const std::string& topic,
                                          std::int64_t offset) {
  PENSTOCK_TRY_ASSIGN(const std::string body,
                      remote.get("/v1/topics/" + topic + "/events?partition=0&value=base64&limit=" +
                                 std::to_string(kPageSize) + "&offset=" + std::to_string(offset)));
  std::vector<DeadLetter> letters;
  for (std::size_t begin = 0; begin < body.size();) {
    const std::size_t end = std::min(body.find('\n', begin), body.size());
    if (end > begin) {
      PENSTOCK_TRY_ASSIGN(DeadLetter letter,
                          parse_letter(std::string_view(body).substr(begin, end - begin)));
      letters.push_back(std::move(letter));
    }
    begin = end + 1;
  }
  return letters;
}

// The letters of one topic that match, `left` of them at most.
Status visit_topic(Remote& remote, const RemoteTopic& topic, const DeadLetterFilter& filter,
                   std::uint64_t& left, DeadLetterVisitor& visit) {
  // Letters that arrive while this runs are left for the next time, so that a replay ends.
  const std::int64_t end = topic.partitions.front().end;
  for (std::int64_t offset = topic.partitions.front().start; offset < end && left > 0;) {
    PENSTOCK_TRY_ASSIGN(const std::vector<DeadLetter> page, read_page(remote, topic.name, offset));
    if (page.empty()) {
      return {};
    }
    for (const DeadLetter& letter : page) {
      if (letter.offset < end && left > 0 && filter.matches(letter)) {
        PENSTOCK_TRY(visit(letter));
        --left;
      }
    }
    offset = page.back().offset + 1;
  }
  return {};
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

// The target of GET /v1/dead-letters with this filter; it knows no limit.
std::string stats_target(const DeadLetterFilter& filter) {
  std::string target = "/v1/dead-letters?topic=" + percent_encoded(filter.topic) +
                       "&code=" + percent_encoded(filter.code) +
                       "&sink=" + percent_encoded(filter.sink);
  if (filter.since_ms) {
    target += "&since=" + std::to_string(*filter.since_ms);
  }
  if (filter.until_ms) {
    target += "&until=" + std::to_string(*filter.until_ms);
  }
  return target;
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

Result<ReplayAnswer> send_again(Remote& remote, const DeadLetter& letter) {
  net::ClientRequest request;
  request.method = "POST";
  request.target = "/v1/topics/" + letter.topic + "/events";
  request.headers = {
      {std::string(kReplayRequestHeader), std::to_string(letter.replays + 1)},
      {"Idempotency-Key", "dlq-replay/" + letter.topic + "/" + std::to_string(letter.offset)}};
  request.body = letter.bytes;
  Result<std::string> body = remote.send(request);
  for (int attempt = 0; !body && body.error().code() == ErrorCode::kBusy && attempt < 10;
       ++attempt) {
    os::pause(std::chrono::seconds(1));  // what Retry-After asks for
    body = remote.send(request);
  }
  if (!body && is_refusal(body.error())) {
    return ReplayAnswer{.not_taken = 1};
  }
  if (!body) {
    return body.error().with("dead letter " + std::to_string(letter.offset) + " of " +
                             letter.topic);
  }
  const Json answer = Json::parse(*body, nullptr, /*allow_exceptions=*/false);
  return ReplayAnswer{answer.value("accepted", std::uint64_t{0}),
                      answer.value("duplicates", std::uint64_t{0}),
                      answer.value("dead_lettered", std::uint64_t{0}), 0};
}

}  // namespace

bool DeadLetterFilter::matches(const DeadLetter& letter) const {
  if ((!code.empty() && letter.code != code) || (!sink.empty() && letter.sink != sink)) {
    return false;
  }
  if (!since_ms && !until_ms) {
    return true;
  }
  const auto time = parse_rfc3339(letter.time);
  return time && (!since_ms || *time >= *since_ms) && (!until_ms || *time < *until_ms);
}

Status for_each_dead_letter(Remote& remote, const DeadLetterFilter& filter,
                            DeadLetterVisitor visit) {
  PENSTOCK_TRY_ASSIGN(const std::vector<RemoteTopic> topics, remote.topics());
  std::uint64_t left = filter.limit;
  bool found = false;
  for (const RemoteTopic& topic : topics) {
    const bool wanted = filter.topic.empty() ? is_dead_letter_topic(topic.name)
                                             : topic.name == dead_letter_topic(filter.topic);
    if (wanted && !topic.partitions.empty()) {
      found = true;
      PENSTOCK_TRY(visit_topic(remote, topic, filter, left, visit));
    }
  }
  if (!found && !filter.topic.empty()) {
    return Error(ErrorCode::kNotFound, "there is no topic \"" + filter.topic +
                                           "\" with dead letters; `penstock topics` lists all");
  }
  return {};
}

Status list_dead_letters(Remote& remote, const DeadLetterFilter& filter, std::ostream& out) {
  std::map<std::string, std::map<std::string, std::uint64_t>> counts;
  PENSTOCK_TRY(for_each_dead_letter(remote, filter, [&](const DeadLetter& letter) -> Status {
    ++counts[letter.topic][letter.code];
    return {};
  }));
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
  PENSTOCK_TRY_ASSIGN(const std::string body, remote.get(stats_target(filter)));
  const Json answer = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object() || !answer.contains("topics")) {
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
    json.key("replays").value(letter.replays);
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

Result<ReplaySummary> replay_dead_letters(Remote& remote, const ReplayOptions& options,
                                          std::ostream& progress) {
  ReplaySummary summary;
  os::Pacer pacer(options.events_per_second);
  std::uint64_t replayed = 0;
  const auto replay = [&](const DeadLetter& letter) -> Status {
    if (letter.replays >= options.replays_max) {
      ++summary.left_as_loop;
      return {};
    }
    ++summary.by_code[letter.code];
    if (options.dry_run) {
      return {};
    }
    pacer.wait_for_turn();
    PENSTOCK_TRY_ASSIGN(const ReplayAnswer answer, send_again(remote, letter));
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
  return summary;
}

}  // namespace penstock::app
