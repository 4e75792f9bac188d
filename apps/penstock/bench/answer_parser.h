// AnswerParser reads the server's answers to event requests from a connection's bytes: the status,
// and how many events were accepted, were duplicates, or became dead letters.
//
// It is for Penstock's own answers (a Content-Length, one line of JSON with known members), not for
// HTTP in general, and costs about a microsecond per answer.
//
// Threads   one object belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace penstock::bench {

struct Answer {
  int status = 0;
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t dead_lettered = 0;
  std::uint32_t retry_after_s = 0;
  bool close = false;  // the server ends the connection
};

class AnswerParser {
 public:
  // Takes the next bytes of the connection; they may hold several answers, and end anywhere.
  void feed(std::string_view bytes);

  // The next answer; nothing, if more bytes must come. kInvalid: this is no answer we know.
  [[nodiscard]] Result<std::optional<Answer>> next();

  // Forgets what it has, for a new connection.
  void reset();

 private:
  std::string received_;
  std::size_t taken_ = 0;  // of received_, by earlier answers
};

// The number behind `name` in a text such as {"accepted":12}; nothing if it is not there.
[[nodiscard]] std::optional<std::uint64_t> number_after(std::string_view text,
                                                        std::string_view name);

}  // namespace penstock::bench
