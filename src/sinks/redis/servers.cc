#include "sinks/redis/servers.h"

#include <algorithm>
#include <utility>

#include "sinks/redis/key_slot.h"

namespace penstock::sinks {
namespace {

// A slot that moves is found within two; more is a cluster that does not agree with itself.
constexpr int kRoundsMax = 6;

constexpr std::string_view kPolicy = "maxmemory_policy:";

// A server that throws keys away when memory is full would throw away positions, or counts.
Status check_eviction(RedisConnection& connection) {
  const std::vector<std::string> ask = {"INFO", "memory"};
  PENSTOCK_TRY_ASSIGN(const RedisReply reply, connection.execute(ask));
  const std::size_t at = reply.is_error() ? std::string::npos : reply.text.find(kPolicy);
  if (at == std::string::npos) {  // not permitted to ask
    return {};
  }
  const std::size_t begin = at + kPolicy.size();
  const std::string policy = reply.text.substr(begin, reply.text.find('\r', begin) - begin);
  if (policy.starts_with("allkeys")) {
    return Error(ErrorCode::kRetry, "Redis: maxmemory-policy is " + policy +
                                        ", which throws away any key when memory is full; what "
                                        "is to be exact needs noeviction, or a volatile one");
  }
  return {};
}

}  // namespace

void RedisServers::Call::add_key(std::string_view key) {
  append_word(keys, key);
  ++key_count;
}

void RedisServers::Call::add_argument(std::string_view argument) {
  append_word(arguments, argument);
  ++argument_count;
}

Status RedisServers::connect() {
  nodes_.clear();
  master_.reset();
  switch (options_.deployment) {
    case RedisDeployment::kCluster:
      return learn_slots();
    case RedisDeployment::kSingle:
      master_ = options_.addresses.front();
      break;
    case RedisDeployment::kSentinel: {
      PENSTOCK_TRY_ASSIGN(master_, master_by_sentinel());
      break;
    }
  }
  PENSTOCK_TRY(node(*master_));
  return {};
}

Result<RedisAddress> RedisServers::master_by_sentinel() {
  const std::vector<std::string> ask = {"SENTINEL", "get-master-addr-by-name", options_.master};
  Error why(ErrorCode::kRetry, "Redis: there is no Sentinel");
  for (const RedisAddress& sentinel : options_.addresses) {
    const auto connection =
        RedisConnection::connect(sentinel, options_.sentinel_connection, clock_, interrupted_);
    auto reply = connection ? (*connection)->execute(ask) : connection.error();
    if (!reply) {
      why = reply.error();
      continue;
    }
    auto address = config::parse_server_address(reply->text_at(0) + ":" + reply->text_at(1));
    if (address.has_value()) {
      return *std::move(address);
    }
    why = Error(ErrorCode::kRetry, "Sentinel " + to_string(sentinel) + " knows no master " +
                                       options_.master +
                                       (reply->is_error() ? ": " + reply->text : ""));
  }
  return why;
}

// --- cluster ------------------------------------------------------------------------------------

Status RedisServers::learn_slots() {
  std::vector<RedisAddress> asked = options_.addresses;
  asked.insert(asked.end(), known_.begin(), known_.end());
  Status status = Error(ErrorCode::kRetry, "Redis: there is no node");
  for (const RedisAddress& address : asked) {
    status = learn_slots_from(address);
    if (status) {
      return status;
    }
    nodes_.erase(address);
  }
  return status;
}

Status RedisServers::learn_slots_from(const RedisAddress& address) {
  PENSTOCK_TRY_ASSIGN(RedisConnection * connection, node(address));
  const std::vector<std::string> ask = {"CLUSTER", "SLOTS"};
  PENSTOCK_TRY_ASSIGN(const RedisReply reply, connection->execute(ask));
  if (reply.is_error()) {
    return Error(ErrorCode::kRetry, "Redis " + to_string(address) + ": " + reply.text);
  }
  slots_.assign(kSlotCount, {});
  known_.clear();
  for (const RedisReply& range : reply.elements) {
    if (range.elements.size() < 3 || range.elements[2].elements.size() < 2) {
      return Error(ErrorCode::kRetry,
                   "Redis " + to_string(address) + ": an answer to CLUSTER SLOTS that is none");
    }
    const RedisReply& master = range.elements[2];
    const std::string host = master.text_at(0);  // empty: the one that was asked
    const RedisAddress owner{host.empty() ? address.host : host,
                             static_cast<std::uint16_t>(master.elements[1].integer)};
    const std::int64_t last = std::min<std::int64_t>(range.elements[1].integer, kSlotCount - 1);
    for (std::int64_t slot = std::max<std::int64_t>(range.elements[0].integer, 0); slot <= last;
         ++slot) {
      slots_[static_cast<std::size_t>(slot)] = owner;
    }
    known_.insert(owner);
  }
  return {};
}

Result<RedisConnection*> RedisServers::node(const RedisAddress& address) {
  std::unique_ptr<RedisConnection>& connection = nodes_[address];
  if (connection == nullptr) {
    PENSTOCK_TRY_ASSIGN(
        auto opened, RedisConnection::connect(address, options_.connection, clock_, interrupted_));
    PENSTOCK_TRY(check_eviction(*opened));
    connection = std::move(opened);
  }
  return connection.get();
}

// --- scripts ------------------------------------------------------------------------------------

Result<std::vector<RedisReply>> RedisServers::run(const char* script, std::span<const Call> calls) {
  std::vector<RedisReply> replies(calls.size());
  std::vector<Attempt> attempts;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const RedisAddress& owner = master_.has_value() ? *master_ : slots_[calls[i].slot];
    if (owner.host.empty()) {
      return Error(ErrorCode::kRetry, "Redis: no node has slot " + std::to_string(calls[i].slot));
    }
    attempts.push_back({i, owner});
  }
  for (int round = 0; round < kRoundsMax && !attempts.empty(); ++round) {
    for (const Attempt& attempt : attempts) {
      PENSTOCK_TRY(send(attempt, script, calls[attempt.index]));
    }
    for (const Attempt& attempt : attempts) {
      PENSTOCK_TRY(nodes_[attempt.address]->flush());
    }
    std::vector<Attempt> further;
    for (const Attempt& attempt : attempts) {
      RedisConnection& connection = *nodes_[attempt.address];
      if (attempt.is_asking) {
        PENSTOCK_TRY(connection.receive());
      }
      PENSTOCK_TRY_ASSIGN(replies[attempt.index], connection.receive());
      if (auto again = next(attempt, calls[attempt.index], replies[attempt.index])) {
        further.push_back(*std::move(again));
      }
    }
    attempts = std::move(further);
  }
  return replies;
}

Status RedisServers::send(const Attempt& attempt, const char* script, const Call& call) {
  PENSTOCK_TRY_ASSIGN(RedisConnection * connection, node(attempt.address));
  std::string begin;
  if (attempt.is_asking) {
    append_count(begin, 1);
    append_word(begin, "ASKING");
  }
  append_count(begin, 3 + call.key_count + call.argument_count);
  if (attempt.in_full) {
    append_word(begin, "EVAL");
    append_word(begin, script);
  } else {
    PENSTOCK_TRY_ASSIGN(const std::string sha1, digest(*connection, script));
    append_word(begin, "EVALSHA");
    append_word(begin, sha1);
  }
  append_word(begin, std::to_string(call.key_count));
  PENSTOCK_TRY(connection->send(begin));
  PENSTOCK_TRY(connection->send(call.keys));
  return connection->send(call.arguments);
}

std::optional<RedisServers::Attempt> RedisServers::next(const Attempt& attempt, const Call& call,
                                                        const RedisReply& reply) {
  if (!reply.is_error()) {
    return std::nullopt;
  }
  Attempt again = attempt;
  if (reply.text.starts_with("NOSCRIPT")) {
    again.in_full = true;
    return again;
  }
  auto redirection = parse_redirection(reply.text, attempt.address);
  if (!redirection.has_value() || options_.deployment != RedisDeployment::kCluster) {
    return std::nullopt;
  }
  again.address = std::move(redirection->to);
  again.is_asking = redirection->is_ask;
  if (!redirection->is_ask) {
    slots_[call.slot] = again.address;
  }
  return again;
}

// The server says what the digest is, so nobody else needs to compute it; it is the same of all.
Result<std::string> RedisServers::digest(RedisConnection& connection, const char* script) {
  std::string& known = digests_[script];
  if (known.empty()) {
    const std::vector<std::string> load = {"SCRIPT", "LOAD", script};
    PENSTOCK_TRY_ASSIGN(const RedisReply reply, connection.execute(load));
    if (reply.is_error()) {
      return Error(ErrorCode::kRetry, "Redis: " + reply.text);
    }
    known = reply.text;
  }
  return known;
}

}  // namespace penstock::sinks
