// Fills the windows of known ids from the log when the gateway starts.
//
// The log is the truth: an id is known if its event is in it. So nothing else has to be kept, and
// a crash between "durable" and "answered" loses no knowledge. Read is the tail of each partition,
// as much as it takes to have the newest ids of the whole topic: what the window's count and time
// allow, no more than about twice that.
//
// Errors    what reading the log gives
#pragma once

#include <cstdint>

#include "core/result.h"
#include "gateway/gateway.h"
#include "gateway/id_hash.h"
#include "gateway/topic_catalog.h"
#include "log/log.h"
#include "os/clock.h"

namespace penstock::gateway {

struct RebuildContext {
  log::Log& log;
  const IdHasher& hasher;
  std::int64_t now_seconds;  // of the wall clock
};

// Both return how many ids the window now knows. The topic has an id pointer.
[[nodiscard]] Result<std::size_t> rebuild_ids(const RebuildContext& context, Topic& topic,
                                              const WindowOptions& options);
// Of the topic that remembers Idempotency-Keys: the record's key is what was hashed.
[[nodiscard]] Result<std::size_t> rebuild_request_keys(const RebuildContext& context, TopicId topic,
                                                       SharedWindow& window,
                                                       const WindowOptions& options);

}  // namespace penstock::gateway
