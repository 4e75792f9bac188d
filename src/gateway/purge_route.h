// PurgeRoute removes dead letters that nobody needs any more:
//
//   POST /v1/dead-letters/{topic}/purge    {"until": "2026-01-31T08:00:00Z", "by": "ann"}
//
// All letters before that time go, or all there are; a batch of letters goes as a whole or stays.
// First a note of who did it becomes durable (docs/formats/dead-letter.md), then the log forgets
// them:
//
//   {"purged":17,"before":117}
//
// Threads   belongs to its loop's thread; the log is asked on SlowWork's.
// Lifetime  loop and everything in Shared outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/completion.h"
#include "core/result.h"
#include "gateway/slow_work.h"
#include "gateway/topic_catalog.h"
#include "log/log.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "os/clock.h"

namespace penstock::gateway {

class PurgeRoute {
 public:
  struct Shared {
    log::Log& log;
    const os::Clock& clock;
    TopicCatalog& topics;
    SlowWork& work;
    TopicId actions_topic;
  };

  PurgeRoute(const Shared& shared, net::EventLoop& loop) : shared_(shared), loop_(loop) {}

  void take(net::RequestPtr http, net::Responder responder);

 private:
  struct Wanted {
    std::optional<Timestamp> until;
    std::string by;
  };

  struct Purge {
    std::uint64_t id;
    std::string topic;
    TopicPartition letters;
    Wanted wanted;
    std::string from;
    Offset start{};
    Offset before{};
  };

  [[nodiscard]] static Result<Wanted> read_body(std::string_view body);
  [[nodiscard]] Status find_range(Purge& purge) const;
  // What follows runs as SlowWork.
  void begin(Purge purge);
  void go_on(Purge purge, Completion<void> noted);
  [[nodiscard]] Status remove(const Purge& purge, Completion<void>& noted);
  void finish(const Purge& purge, const Status& status);
  void on_finished(std::uint64_t id, const Purge& purge, const Status& status);
  [[nodiscard]] Result<Completion<void>> append_note(const Purge& purge);

  const Shared shared_;
  net::EventLoop& loop_;
  std::map<std::uint64_t, net::Responder> waiting_;
  std::uint64_t next_id_ = 1;
};

}  // namespace penstock::gateway
