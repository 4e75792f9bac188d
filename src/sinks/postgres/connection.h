// PostgresConnection is one connection to a PostgreSQL server: statements and COPY, each of which
// ends within a limited time, whatever the server or the network does.
//
// Threads   one; the flag may be raised from any.
// Lifetime  clock and flag outlive it.
// Errors    kInvalid  the server refuses the data (sql_state.h); the connection is as good as
// before
//           kRetry    all else. After that it is not to be used any more
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/counter.h"
#include "core/result.h"
#include "os/clock.h"

namespace penstock::sinks {

class PostgresConnection {
 public:
  struct Options {
    std::string connection;               // as libpq reads it, without a password
    std::optional<std::string> password;  // absent: from ~/.pgpass, or none
    std::string application_name;
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds request_timeout{30'000};
  };

  struct Rows {
    std::vector<std::vector<std::optional<std::string>>> rows;
    std::string tag;          // "COMMIT", "UPDATE 3"
    std::size_t changed = 0;  // rows of an UPDATE, INSERT or COPY
  };

  // `interrupted`: once raised, what waits for the server ends with kRetry.
  [[nodiscard]] static Result<std::unique_ptr<PostgresConnection>> connect(const Options& options,
                                                                           const os::Clock& clock,
                                                                           const Flag& interrupted);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // Parameters are $1, $2, ...; values come as text.
  [[nodiscard]] Result<Rows> execute(const std::string& sql,
                                     std::span<const std::string> parameters = {});

  // COPY ... FROM STDIN (FORMAT binary); `rows` without the header and the trailer.
  [[nodiscard]] Status copy(const std::string& sql, std::string_view rows);

 private:
  class Impl;
  explicit PostgresConnection(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// An array's elements as the text of a PostgreSQL array: {1,2,3}.
template <typename Numbers>
[[nodiscard]] std::string array_text(const Numbers& numbers) {
  std::string text = "{";
  for (const auto& number : numbers) {
    text += (text.size() > 1 ? "," : "") + std::to_string(number);
  }
  return text + "}";
}

}  // namespace penstock::sinks
