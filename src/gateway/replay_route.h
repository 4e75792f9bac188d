// ReplayRoute takes requests to send a dead letter to its topic again:
//
//   POST /v1/dead-letters/{topic}/{offset}/replay    {"patch": [...], "by": "ann", "quarantined":
//   true}
//
// The letter's bytes, edited by the patch (RFC 6902) if there is one, take the place of the
// request's body, and the request goes the way of all events: it is checked, its id is looked up,
// and it is answered when it is durable. A note of the replay is in the same append. So a letter is
// replayed once, whatever is killed in between, and the notes tell who did what.
//
// A letter in quarantine is replayed only if the request says so.
//
// Threads   belongs to its loop's thread; letters are read by SlowWork's.
// Lifetime  loop and everything in Shared outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/result.h"
#include "gateway/ingest.h"
#include "gateway/letter_reader.h"
#include "gateway/slow_work.h"
#include "gateway/topic_catalog.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "schema/json_patch.h"

namespace penstock::gateway {

class ReplayRoute {
 public:
  struct Shared {
    TopicCatalog& topics;
    SlowWork& work;
    LetterReader& letters;  // used inside jobs of `work`
    std::uint32_t replays_max;
  };

  ReplayRoute(const Shared& shared, Ingest& ingest, net::EventLoop& loop)
      : shared_(shared), ingest_(ingest), loop_(loop) {}

  void take(net::RequestPtr http, net::Responder responder);

 private:
  struct Wanted {
    std::optional<JsonPatch> patch;
    std::string by;
    bool also_quarantined = false;
  };

  struct Waiting {
    net::RequestPtr http;
    net::Responder responder;
    Offset letter;
    Wanted wanted;
  };

  [[nodiscard]] static Result<Wanted> read_body(std::string_view body);
  void on_letter(std::uint64_t id, Result<StoredLetter> letter);
  void replay(Waiting waiting, const StoredLetter& letter);

  const Shared shared_;
  Ingest& ingest_;
  net::EventLoop& loop_;
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t next_id_ = 1;
};

}  // namespace penstock::gateway
