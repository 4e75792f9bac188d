#include "sinks/sqlite/connection.h"

#include <utility>

#include <sqlite3.h>

#include "core/check.h"
#include "os/pause.h"
#include "sinks/sqlite/result_code.h"

namespace penstock::sinks {
namespace {

using namespace std::chrono_literals;

constexpr auto kLockLook = 5ms;  // how often a lock is asked for again
// Steps of SQLite's machine after which it looks whether it is to stop: well under a millisecond.
constexpr int kStepsPerLook = 10'000;

Error error_of(sqlite3* database, int code) {
  return {code_of_sqlite_result(code), "SQLite: " + std::string(sqlite3_errmsg(database)) + " (" +
                                           std::to_string(sqlite3_extended_errcode(database)) +
                                           ")"};
}

}  // namespace

// --- statement ----------------------------------------------------------------------------------

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::bind_null(int parameter) {
  PENSTOCK_CHECK(sqlite3_bind_null(statement_.get(), parameter) == SQLITE_OK);
}

void SqliteStatement::bind(int parameter, std::int64_t value) {
  PENSTOCK_CHECK(sqlite3_bind_int64(statement_.get(), parameter, value) == SQLITE_OK);
}

void SqliteStatement::bind(int parameter, double value) {
  PENSTOCK_CHECK(sqlite3_bind_double(statement_.get(), parameter, value) == SQLITE_OK);
}

// A null pointer would be bound as NULL. No event is as large as SQLite's limit of 10^9 bytes.
void SqliteStatement::bind(int parameter, std::string_view text) {
  const int bound =
      sqlite3_bind_text64(statement_.get(), parameter, text.data() == nullptr ? "" : text.data(),
                          text.size(), SQLITE_STATIC, SQLITE_UTF8);
  PENSTOCK_CHECK(bound == SQLITE_OK);
}

void SqliteStatement::bind(int parameter, ByteView blob) {
  const void* const bytes = blob.data() == nullptr ? "" : static_cast<const void*>(blob.data());
  PENSTOCK_CHECK(sqlite3_bind_blob64(statement_.get(), parameter, bytes, blob.size(),
                                     SQLITE_STATIC) == SQLITE_OK);
}

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW || code == SQLITE_DONE) {
    return code == SQLITE_ROW;
  }
  Error error = error_of(sqlite3_db_handle(statement_.get()), code);
  reset();
  return error;
}

Status SqliteStatement::run() {
  PENSTOCK_TRY(step());
  reset();
  return {};
}

// It answers the error of the step before once more.
void SqliteStatement::reset() {
  static_cast<void>(sqlite3_reset(statement_.get()));
}

std::int64_t SqliteStatement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string SqliteStatement::text(int column) const {
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? "" : std::string(bytes, static_cast<std::size_t>(size));
}

// --- connection ---------------------------------------------------------------------------------

class SqliteConnection::Impl {
 public:
  Impl(const Options& options, const os::Clock& clock, const Flag& interrupted)
      : options_(options), clock_(clock), interrupted_(interrupted) {}

  ~Impl() { sqlite3_close_v2(database_); }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status open() {
    const int code = sqlite3_open_v2(
        options_.file.c_str(), &database_,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        nullptr);
    if (database_ == nullptr) {
      return Error(ErrorCode::kRetry, "SQLite: out of memory");
    }
    if (code != SQLITE_OK) {
      return error_of(database_, code).with(options_.file);
    }
    sqlite3_busy_handler(database_, wait_for_lock, this);
    sqlite3_progress_handler(database_, kStepsPerLook, is_interrupted, this);
    return {};
  }

  Status execute(const std::string& sql) {
    const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? Status() : Status(error_of(database_, code));
  }

  Result<sqlite3_stmt*> prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(database_, sql.c_str(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
      return error_of(database_, code);
    }
    return statement;
  }

  [[nodiscard]] sqlite3* database() const { return database_; }

 private:
  // SQLite's callback while another process holds a lock. 0: give up.
  static int wait_for_lock(void* self, int attempt) {
    auto& impl = *static_cast<Impl*>(self);
    const os::TimePoint now = impl.clock_.now();
    if (attempt == 0) {
      impl.waiting_until_ = now + impl.options_.lock_timeout;
    }
    if (impl.interrupted_.raised() || now >= impl.waiting_until_) {
      return 0;
    }
    os::pause(kLockLook);
    return 1;
  }

  static int is_interrupted(void* self) {
    return static_cast<Impl*>(self)->interrupted_.raised() ? 1 : 0;
  }

  const Options options_;
  const os::Clock& clock_;
  const Flag& interrupted_;
  sqlite3* database_ = nullptr;
  os::TimePoint waiting_until_;
};

SqliteConnection::SqliteConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SqliteConnection::~SqliteConnection() = default;

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const Options& options,
                                                                 const os::Clock& clock,
                                                                 const Flag& interrupted) {
  auto impl = std::make_unique<Impl>(options, clock, interrupted);
  PENSTOCK_TRY(impl->open());
  // The size limit is that of the file beside it, which a long reader makes grow.
  const bool full = options.synchronous == Synchronous::kFull;
  PENSTOCK_TRY(
      impl->execute("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 67108864; "
                    "PRAGMA foreign_keys = ON; PRAGMA synchronous = " +
                    std::string(full ? "FULL" : "NORMAL")));
  return std::unique_ptr<SqliteConnection>(new SqliteConnection(std::move(impl)));
}

Status SqliteConnection::execute(const std::string& sql) {
  return impl_->execute(sql);
}

Result<SqliteStatement> SqliteConnection::prepare(const std::string& sql) {
  PENSTOCK_TRY_ASSIGN(sqlite3_stmt* const statement, impl_->prepare(sql));
  return SqliteStatement(statement);
}

std::int64_t SqliteConnection::changed() const {
  return sqlite3_changes64(impl_->database());
}

bool SqliteConnection::is_in_transaction() const {
  return sqlite3_get_autocommit(impl_->database()) == 0;
}

bool SqliteConnection::has_moved() const {
  int moved = 0;
  const int asked =
      sqlite3_file_control(impl_->database(), nullptr, SQLITE_FCNTL_HAS_MOVED, &moved);
  return asked == SQLITE_OK && moved != 0;
}

}  // namespace penstock::sinks
