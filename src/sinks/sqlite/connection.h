// SqliteConnection is one open database file of SQLite, in WAL mode: readers are not kept waiting
// by the sink, nor the sink by them.
//
// A lock that another process holds is waited for, up to a limit. The file is written by SQLite
// itself, past os/file_system.h.
//
// Threads   one; the flag may be raised from any.
// Lifetime  clock and flag outlive it; it outlives its statements.
// Errors    kInvalid  the database refuses the data (result_code.h)
//           kRetry    all else
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/counter.h"
#include "core/result.h"
#include "os/clock.h"

struct sqlite3;
struct sqlite3_stmt;

namespace penstock::sinks {

// A prepared statement. Its parameters are numbered from 1, its columns from 0.
//
// Lifetime  texts and bytes that are bound must live until run() or the last step() has returned.
class SqliteStatement {
 public:
  void bind_null(int parameter);
  void bind(int parameter, std::int64_t value);
  void bind(int parameter, double value);
  void bind(int parameter, std::string_view text);
  void bind(int parameter, ByteView blob);

  // True: there is a row to read.
  [[nodiscard]] Result<bool> step();
  // Of a statement without rows.
  [[nodiscard]] Status run();
  // Ready for the next use; parameters keep their values.
  void reset();

  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  friend class SqliteConnection;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteConnection {
 public:
  // What a power failure may take: nothing that was committed, or the newest transactions. Either
  // way the file is whole afterwards.
  enum class Synchronous { kFull, kNormal };

  struct Options {
    std::string file;
    Synchronous synchronous = Synchronous::kFull;
    std::chrono::milliseconds lock_timeout{5'000};
  };

  // The file is made if it is not there. `interrupted`: once raised, what waits ends with kRetry.
  [[nodiscard]] static Result<std::unique_ptr<SqliteConnection>> open(const Options& options,
                                                                      const os::Clock& clock,
                                                                      const Flag& interrupted);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Statements with a semicolon between, whose rows do not matter.
  [[nodiscard]] Status execute(const std::string& sql);
  [[nodiscard]] Result<SqliteStatement> prepare(const std::string& sql);

  // Rows that the last statement has changed.
  [[nodiscard]] std::int64_t changed() const;
  // Some errors end the transaction by themselves.
  [[nodiscard]] bool is_in_transaction() const;
  // The file was moved or deleted under us: what is written now, nobody would ever see.
  [[nodiscard]] bool has_moved() const;

 private:
  class Impl;
  explicit SqliteConnection(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::sinks
