// The Lua scripts that a Redis sink runs. The position of a partition is a hash, KEYS[1],
// in the slot of the partition's keys:
//
//   next_offset   where the partition goes on
//   epoch         of the process that has it; each new process takes the next one
//   owner         that process's random name
//   lease         a random name of its newest connection
//
// A script runs alone and ends with all of its writes or none in the replication stream and in the
// append-only file. It has no way back, though: so it applies record after record, and where one is
// refused it ends with the position at that record: done is what is before it, and nothing behind.
//
// Source: redis.io, "Scripting with Lua", "Redis Lua API reference"
#pragma once

namespace penstock::sinks {

// ARGV: owner, epoch (0: a new process), lease.
// Answers "taken", next_offset, epoch; or "newer": another process has it.
inline constexpr const char* kTakeScript = R"lua(
local stored = redis.call('HMGET', KEYS[1], 'next_offset', 'epoch', 'owner')
local next_offset, epoch = stored[1] or '0', tonumber(stored[2] or '0')
local mine = tonumber(ARGV[2])
if mine == 0 then
  mine = epoch + 1
elseif epoch > mine or (epoch == mine and stored[3] ~= ARGV[1]) then
  return {'newer'}
end
redis.call('HSET', KEYS[1], 'next_offset', next_offset, 'epoch', mine, 'owner', ARGV[1],
           'lease', ARGV[3])
return {'taken', next_offset, tostring(mine)}
)lua";

// KEYS: the position, the key of each record. ARGV: lease, where the position is and where it goes;
// then for each record its offset and its commands, each of which is the number of its words, its
// name, and its words without the key; behind the last one "0".
//
// Answers "done", where it is now; "lost", epoch, owner: the lease is another one;
// "elsewhere", next_offset: the position is; or "refused", offset, the server's message.
//
// Only the first command of a record can fail: see RedisUpdates.
inline constexpr const char* kWriteScript = R"lua(
local stored = redis.call('HMGET', KEYS[1], 'next_offset', 'lease', 'epoch', 'owner')
if stored[2] ~= ARGV[1] then
  return {'lost', stored[3] or '0', stored[4] or ''}
end
if stored[1] ~= ARGV[2] then
  return {'elsewhere', stored[1]}
end
local at = 4
for i = 2, #KEYS do
  local offset = ARGV[at]
  at = at + 1
  local count = tonumber(ARGV[at])
  while count > 0 do
    local reply = redis.pcall(ARGV[at + 1], KEYS[i], unpack(ARGV, at + 2, at + count))
    if type(reply) == 'table' and reply.err then
      if offset ~= ARGV[2] then
        redis.call('HSET', KEYS[1], 'next_offset', offset)
      end
      return {'refused', offset, reply.err}
    end
    at = at + count + 1
    count = tonumber(ARGV[at])
  end
  at = at + 1
end
if ARGV[3] ~= ARGV[2] then
  redis.call('HSET', KEYS[1], 'next_offset', ARGV[3])
end
return {'done', ARGV[3]}
)lua";

}  // namespace penstock::sinks
