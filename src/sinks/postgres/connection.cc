#include "sinks/postgres/connection.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <libpq-fe.h>

#include "core/units.h"
#include "os/socket_wait.h"
#include "sinks/postgres/sql_state.h"

namespace penstock::sinks {
namespace {

using std::chrono::milliseconds;

// How long a raised flag may go unnoticed.
constexpr milliseconds kLook{50};
constexpr std::size_t kChunk = 256 * kKiB;
constexpr std::string_view kCopyHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::string_view kCopyTrailer("\377\377", 2);

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};

using ResultPtr = std::unique_ptr<PGresult, Clear>;

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

void ignore_notice(void* /*argument*/, const PGresult* /*notice*/) {}

// libpq ends its messages with a newline, and some have several lines.
std::string one_line(const char* text) {
  std::string line(text == nullptr ? "" : text);
  line.erase(std::find_if(line.rbegin(), line.rend(), [](char c) { return c != '\n'; }).base(),
             line.end());
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string field(const PGresult* result, int name) {
  return one_line(PQresultErrorField(result, name));
}

}  // namespace

class PostgresConnection::Impl {
 public:
  Impl(const Options& options, const os::Clock& clock, const Flag& interrupted)
      : options_(options), clock_(clock), interrupted_(interrupted) {}

  Status connect() {
    begin(options_.connect_timeout);
    std::vector<const char*> keys = {"dbname", "fallback_application_name", "client_encoding"};
    std::vector<const char*> values = {options_.connection.c_str(),
                                       options_.application_name.c_str(), "UTF8"};
    if (options_.password.has_value()) {
      keys.push_back("password");
      values.push_back(options_.password->c_str());
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    connection_.reset(PQconnectStartParams(keys.data(), values.data(), 1));
    if (connection_ == nullptr || PQstatus(connection_.get()) == CONNECTION_BAD) {
      return failed();
    }
    PQsetNoticeReceiver(connection_.get(), ignore_notice, nullptr);
    for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
         state = PQconnectPoll(connection_.get())) {
      if (state == PGRES_POLLING_FAILED) {
        return failed();
      }
      PENSTOCK_TRY(wait(state == PGRES_POLLING_READING ? os::SocketReady::kForReading
                                                       : os::SocketReady::kForWriting));
    }
    return PQsetnonblocking(connection_.get(), 1) == 0 ? Status() : failed();
  }

  Result<Rows> execute(const std::string& sql, std::span<const std::string> parameters) {
    begin(options_.request_timeout);
    PENSTOCK_TRY(send(sql, parameters));
    PENSTOCK_TRY_ASSIGN(const ResultPtr result, last_result());
    Rows rows;
    for (int i = 0; i < PQntuples(result.get()); ++i) {
      auto& row = rows.rows.emplace_back();
      for (int k = 0; k < PQnfields(result.get()); ++k) {
        row.push_back(PQgetisnull(result.get(), i, k) != 0
                          ? std::nullopt
                          : std::optional<std::string>(PQgetvalue(result.get(), i, k)));
      }
    }
    rows.tag = PQcmdStatus(result.get());
    rows.changed = std::strtoull(PQcmdTuples(result.get()), nullptr, 10);
    return rows;
  }

  Status copy(const std::string& sql, std::string_view rows) {
    begin(options_.request_timeout);
    PENSTOCK_TRY(send(sql, {}));
    PENSTOCK_TRY_ASSIGN(const ResultPtr ready, next_result());
    if (PQresultStatus(ready.get()) != PGRES_COPY_IN) {
      const Status why = refused(ready.get());
      PENSTOCK_TRY(last_result());
      return why ? Status(Error(ErrorCode::kRetry, "the server does not take COPY")) : why;
    }
    PENSTOCK_TRY(put(kCopyHeader));
    for (std::size_t at = 0; at < rows.size(); at += kChunk) {
      PENSTOCK_TRY(put(rows.substr(at, kChunk)));
    }
    PENSTOCK_TRY(put(kCopyTrailer));
    while (true) {
      const int ended = PQputCopyEnd(connection_.get(), nullptr);
      if (ended == 1) {
        break;
      }
      if (ended < 0) {
        return failed();
      }
      PENSTOCK_TRY(flush_some());
    }
    PENSTOCK_TRY(last_result());
    return {};
  }

 private:
  void begin(milliseconds timeout) { deadline_ = clock_.now() + timeout; }

  Status wait(os::SocketReady wanted) {
    if (interrupted_.raised()) {
      return Error(ErrorCode::kRetry, "PostgreSQL: interrupted");
    }
    const os::TimePoint now = clock_.now();
    if (now >= deadline_) {
      return Error(ErrorCode::kRetry, "PostgreSQL: the server does not answer in time");
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - now) + milliseconds(1);
    os::wait_for_socket(PQsocket(connection_.get()), wanted, std::min(left, kLook));
    return {};
  }

  Status send(const std::string& sql, std::span<const std::string> parameters) {
    std::vector<const char*> values;
    for (const std::string& parameter : parameters) {
      values.push_back(parameter.c_str());
    }
    const int sent =
        parameters.empty()
            ? PQsendQuery(connection_.get(), sql.c_str())
            : PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                                nullptr, values.data(), nullptr, nullptr, 0);
    return sent == 1 ? Status() : failed();
  }

  Status put(std::string_view bytes) {
    while (true) {
      const int taken =
          PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (taken == 1) {
        return flush_some();
      }
      if (taken < 0) {
        return failed();
      }
      PENSTOCK_TRY(flush_some());
    }
  }

  // Sends what can be sent; waits if that is not all.
  Status flush_some() {
    const int left = PQflush(connection_.get());
    if (left < 0) {
      return failed();
    }
    if (left == 1) {
      PENSTOCK_TRY(wait(os::SocketReady::kForEither));
      if (PQconsumeInput(connection_.get()) == 0) {
        return failed();
      }
    }
    return {};
  }

  Result<ResultPtr> next_result() {
    int left = 1;
    while ((left = PQflush(connection_.get())) == 1) {
      PENSTOCK_TRY(wait(os::SocketReady::kForEither));
      if (PQconsumeInput(connection_.get()) == 0) {
        return Result<ResultPtr>(failed().error());
      }
    }
    while (left == 0 && PQisBusy(connection_.get()) == 1) {
      PENSTOCK_TRY(wait(os::SocketReady::kForReading));
      if (PQconsumeInput(connection_.get()) == 0) {
        return Result<ResultPtr>(failed().error());
      }
    }
    if (left < 0) {
      return Result<ResultPtr>(failed().error());
    }
    return ResultPtr(PQgetResult(connection_.get()));
  }

  // Takes all results, as PQexec() does; the last one, or the error of any.
  Result<ResultPtr> last_result() {
    ResultPtr last;
    Status status;
    while (true) {
      PENSTOCK_TRY_ASSIGN(ResultPtr result, next_result());
      if (result == nullptr) {
        break;
      }
      if (const Status refusal = refused(result.get()); !refusal && status) {
        status = refusal;
      }
      last = std::move(result);
    }
    PENSTOCK_TRY(status);
    if (last == nullptr) {
      return Result<ResultPtr>(failed().error());
    }
    return last;
  }

  Status refused(const PGresult* result) {
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE) {
      return {};
    }
    const std::string state = field(result, PG_DIAG_SQLSTATE);
    if (state.empty()) {
      return Error(ErrorCode::kRetry, "PostgreSQL: " + one_line(PQresultErrorMessage(result)));
    }
    std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    if (const std::string detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) {
      message += ": " + detail;
    }
    return Error(code_of_sql_state(state), "PostgreSQL: " + message + " (" + state + ")");
  }

  Status failed() const {
    return Error(
        ErrorCode::kRetry,
        "PostgreSQL: " + (connection_ == nullptr ? std::string("out of memory")
                                                 : one_line(PQerrorMessage(connection_.get()))));
  }

  const Options options_;
  const os::Clock& clock_;
  const Flag& interrupted_;
  std::unique_ptr<PGconn, Finish> connection_;
  os::TimePoint deadline_;
};

PostgresConnection::PostgresConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PostgresConnection::~PostgresConnection() = default;

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::connect(const Options& options,
                                                                        const os::Clock& clock,
                                                                        const Flag& interrupted) {
  auto impl = std::make_unique<Impl>(options, clock, interrupted);
  PENSTOCK_TRY(impl->connect());
  return std::unique_ptr<PostgresConnection>(new PostgresConnection(std::move(impl)));
}

Result<PostgresConnection::Rows> PostgresConnection::execute(
    const std::string& sql, std::span<const std::string> parameters) {
  return impl_->execute(sql, parameters);
}

Status PostgresConnection::copy(const std::string& sql, std::string_view rows) {
  return impl_->copy(sql, rows);
}

}  // namespace penstock::sinks
