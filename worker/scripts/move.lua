-- move(id, revision, guard, nonce, to, set, removed, notify): a compare-and-set on the revision.
-- guard: '' for anybody, 'expired' for who recovers, else the fencing token of a lease.
local id, revision, guard, nonce, to = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local set, removed, notify = cjson.decode(ARGV[7]), cjson.decode(ARGV[8]), ARGV[9]
local key = job_key(id)
local row = redis.call('HMGET', key, 'status', 'revision', 'datasets', 'nonce')

if not row[1] then return {'unknown'} end
if row[4] == nonce then return {'moved', redis.call('HGETALL', key)} end -- repeated: see create
if guard == 'expired' then
  local until_ms = redis.call('ZSCORE', LEASES, id)
  if not until_ms or tonumber(until_ms) > now_ms() then return {'lost'} end
elseif guard ~= '' and not holds_lease(id, guard) then
  return {'lost'}
end
if row[2] ~= revision then return {'changed'} end
if ENDED[row[1]] and not ENDED[to] then
  local name = forgotten(list_of(row[3]))
  if name then return {'unavailable', name} end
end

enter(id, to)
for field, value in pairs(set) do redis.call('HSET', key, field, value) end
for _, field in ipairs(removed) do redis.call('HDEL', key, field) end
redis.call('HSET', key, 'nonce', nonce)
if notify == '1' and ENDED[to] then
  local name = id .. ':' .. redis.call('HGET', key, 'revision')
  local ended = cjson.encode(redis.call('HGETALL', key))
  redis.call('HSET', webhook_key(name), 'row', ended, 'at', whole(now_ms()))
  redis.call('ZADD', WEBHOOKS, whole(now_ms()), name)
end
return {'moved', redis.call('HGETALL', key)}
