#include "sinks/postgres/table_queries.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <utility>

#include "core/check.h"
#include "core/ref_counted.h"
#include "net/http_message.h"

namespace penstock::sinks {
namespace {

constexpr std::uint32_t kLimitMax = 10'000;

Error wrong(const std::string& what) {
  return {ErrorCode::kInvalid, what};
}

Result<ReadFrom> parse_read_from(const TableReader& reader, const std::string& value) {
  if (value != "primary" && value != "replica") {
    return wrong("parameter `read-from` must be primary or replica");
  }
  if (value == "replica" && !reader.has_replica()) {
    return wrong("the sink \"" + reader.sink() + "\" has no replica");
  }
  return value == "replica" ? ReadFrom::kReplica : ReadFrom::kPrimary;
}

Result<std::uint32_t> parse_limit(const std::string& value) {
  std::uint32_t limit = 0;
  const char* const end = value.data() + value.size();
  const auto [after, error] = std::from_chars(value.data(), end, limit);
  if (error != std::errc() || after != end || limit < 1 || limit > kLimitMax) {
    return wrong("parameter `limit` must be a number from 1 to " + std::to_string(kLimitMax));
  }
  return limit;
}

Status read_parameter(const TableReader& reader, const std::string& name, std::string value,
                      TableReader::Query& query) {
  if (name == "limit") {
    PENSTOCK_TRY_ASSIGN(query.limit, parse_limit(value));
  } else if (name == "read-from") {
    PENSTOCK_TRY_ASSIGN(query.read_from, parse_read_from(reader, value));
  } else if (reader.has_column(name)) {
    query.equal.emplace_back(name, std::move(value));
  } else {
    return wrong("parameter `" + name + "` is neither a column nor `limit` or `read-from`");
  }
  return {};
}

Result<TableReader::Query> parse_query(const TableReader& reader, std::string_view text) {
  TableReader::Query query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.empty()) {
      continue;
    }
    PENSTOCK_TRY_ASSIGN(const std::string name,
                        net::percent_decode(pair.substr(0, equals), net::PlusSign::kLiteral));
    PENSTOCK_TRY_ASSIGN(
        std::string value,
        net::percent_decode(pair.substr(std::min(equals + 1, pair.size())), net::PlusSign::kSpace));
    PENSTOCK_TRY(read_parameter(reader, name, std::move(value), query));
  }
  return query;
}

void answer(net::Responder& responder, const Result<std::string>& body) {
  if (body) {
    responder.send({.body = *body});
  } else if (body.error().code() == ErrorCode::kInvalid) {
    responder.send_error(400, "invalid_parameter", body.error().message());
  } else {
    responder.send_error(503, "unavailable", body.error().message());
  }
}

}  // namespace

// Of one event loop: keeps the requests that wait for a server.
class TableQueries::Route final : public RefCounted {
 public:
  Route(TableQueries& queries, net::EventLoop& loop) : queries_(queries), loop_(loop) {}

  void take(const net::HttpRequest& request, net::Responder responder) {
    TableReader* const reader = queries_.find(request.path_parameters.front());
    if (reader == nullptr) {
      responder.send_error(404, "unknown_table",
                           "there is no sink \"" + request.path_parameters.front() +
                               "\" whose table may be read: see `read_from` of [[postgres]]");
      return;
    }
    auto query = parse_query(*reader, request.query);
    if (!query) {
      answer(responder, query.error());
      return;
    }
    const std::uint64_t id = next_id_++;
    Job job = [this, id, reader, asked = *std::move(query)] {
      loop_.post([this, id, body = reader->read(asked)] { on_answer(id, body); });
    };
    if (!queries_.jobs_.try_send(std::move(job))) {
      responder.send_error(429, "overloaded", "too many queries wait: try again");
      return;
    }
    waiting_.emplace(id, std::move(responder));
  }

 private:
  void on_answer(std::uint64_t id, const Result<std::string>& body) {
    auto node = waiting_.extract(id);
    PENSTOCK_CHECK(!node.empty());
    answer(node.mapped(), body);
  }

  TableQueries& queries_;
  net::EventLoop& loop_;
  std::map<std::uint64_t, net::Responder> waiting_;
  std::uint64_t next_id_ = 1;
};

TableQueries::TableQueries(const log::Log& log, const os::Clock& clock,
                           std::vector<TableReader::Options> tables) {
  for (TableReader::Options& table : tables) {
    readers_.push_back(std::make_unique<TableReader>(log, clock, interrupted_, std::move(table)));
  }
}

void TableQueries::add_routes(net::Router& router, net::EventLoop& loop) {
  const auto route = make_ref<Route>(*this, loop);
  router.add(net::Method::kGet, "/v1/tables/{sink}",
             [route](const net::RequestPtr& request, net::Responder responder) {
               route->take(*request, std::move(responder));
             });
}

bool TableQueries::run_once() {
  std::vector<Job> arrived;
  jobs_.receive(arrived);
  for (Job& job : arrived) {
    job();
  }
  return !arrived.empty();
}

TableReader* TableQueries::find(std::string_view sink) {
  for (const auto& reader : readers_) {
    if (reader->sink() == sink) {
      return reader.get();
    }
  }
  return nullptr;
}

}  // namespace penstock::sinks
