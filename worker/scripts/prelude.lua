-- Shared by every script: where things lie, what a state means, and how a job enters a state.
-- Rows are hashes of strings; the times in them are microseconds, those of leases milliseconds.
local prefix = ARGV[1]

local HELD = {running = true, pausing = true, cancelling = true}
local ENDED = {succeeded = true, failed = true, cancelled = true}
local LEASES = prefix .. ':leases'
local WEBHOOKS = prefix .. ':webhooks' -- '<job id>:<revision>' of an end, by when it is due (ms)

local function job_key(id) return prefix .. ':job:' .. id end
local function stream_key(id) return prefix .. ':events:' .. id end
local function queue_key(queue) return prefix .. ':queue:' .. queue end
local function webhook_key(name) return prefix .. ':webhook:' .. name end
local function children_key(id) return prefix .. ':children:' .. id end
local function readers_key(dataset) return prefix .. ':dataset:' .. dataset .. ':readers' end
local function forgetting_key(dataset) return prefix .. ':dataset:' .. dataset .. ':forgetting' end

local function list_key(status, kind)
  local key = prefix .. ':jobs'
  if status ~= '' then key = key .. ':status:' .. status end
  if kind ~= '' then key = key .. ':kind:' .. kind end
  return key
end

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function now_ms() return math.floor(now_us() / 1000) end
local function whole(number) return string.format('%.0f', number) end -- %.14g would round it

local function list_of(json) return json and cjson.decode(json) or {} end

local function tell(id, data) return redis.call('XADD', stream_key(id), '*', 'data', data) end

local function tell_status(id, status)
  tell(id, '{"event":"status","status":"' .. status .. '"}')
end

-- A pipeline's stream has every move of its steps.
local function tell_parent(id, status)
  local row = redis.call('HMGET', job_key(id), 'parent_id', 'step')
  if not row[1] then return end
  local event = {event = 'step', step = row[2] or cjson.null, job_id = id, status = status}
  tell(row[1], cjson.encode(event))
end

-- Name of the first of these data sets that is being deleted, or nil.
local function forgotten(datasets)
  for _, name in ipairs(datasets) do
    if redis.call('EXISTS', forgetting_key(name)) == 1 then return name end
  end
  return nil
end

local function hold(id, datasets)
  for _, name in ipairs(datasets) do redis.call('SADD', readers_key(name), id) end
end

local function release(id, datasets)
  for _, name in ipairs(datasets) do redis.call('SREM', readers_key(name), id) end
end

local function holds_lease(id, token)
  return redis.call('HGET', job_key(id), 'token') == token
end

local function dependencies_succeeded(depends_on)
  for _, id in ipairs(list_of(depends_on)) do
    if redis.call('HGET', job_key(id), 'status') ~= 'succeeded' then return false end
  end
  return true
end

local function list_under(id, status, kind)
  redis.call('ZADD', list_key(status, ''), 0, id)
  redis.call('ZADD', list_key(status, kind), 0, id)
end

local function unlist_from(id, status, kind)
  redis.call('ZREM', list_key(status, ''), id)
  redis.call('ZREM', list_key(status, kind), id)
end

-- Write all that follows from a job's going to another state; the caller checked that it may.
local function enter(id, to)
  local key, now = job_key(id), whole(now_us())
  local row = redis.call('HMGET', key, 'status', 'kind', 'queue', 'datasets')
  local from, kind, queue, datasets = row[1], row[2], row[3], list_of(row[4])
  unlist_from(id, from, kind)
  list_under(id, to, kind)
  redis.call('HSET', key, 'status', to)
  redis.call('HINCRBY', key, 'revision', 1)
  if queue then redis.call('ZREM', queue_key(queue), id) end
  if to == 'queued' then
    redis.call('HSET', key, 'queued_at', now)
    redis.call('HDEL', key, 'worker')
    if queue then redis.call('ZADD', queue_key(queue), now, id) end
    if ENDED[from] then
      redis.call('HDEL', key, 'started_at', 'finished_at', 'error', 'result')
      hold(id, datasets)
    end
  elseif to == 'running' then
    redis.call('HSETNX', key, 'started_at', now)
  elseif ENDED[to] then
    redis.call('HSET', key, 'finished_at', now)
    release(id, datasets)
  end
  if not HELD[to] then
    redis.call('ZREM', LEASES, id)
    redis.call('HDEL', key, 'token')
  end
  tell_status(id, to)
  tell_parent(id, to)
end
