-- revive(parent, step, nonce): queue an ended pipeline again, and its steps that did not succeed;
-- or of these `step` alone, if it is given and another one failed. All or nothing.
-- 'revived' and the steps that are queued now, 'ended' and what forbids it: a status.
local parent, step, nonce = ARGV[2], ARGV[3], ARGV[4]
local asked = step ~= '' and step or parent
local steps = redis.call('ZRANGE', children_key(parent), 0, -1)

local function status_of(id) return redis.call('HGET', job_key(id), 'status') end
local function did_not_succeed(id) return ENDED[status_of(id)] and status_of(id) ~= 'succeeded' end

local function queued()
  local found = {}
  for _, id in ipairs(steps) do
    if status_of(id) == 'queued' then found[#found + 1] = id end
  end
  return {'revived', found}
end

local function another_failed()
  for _, id in ipairs(steps) do
    if id ~= step and status_of(id) == 'failed' then return true end
  end
  return false
end

if redis.call('HGET', job_key(asked), 'nonce') == nonce then return queued() end -- see create
for _, id in ipairs({parent, asked}) do
  if not did_not_succeed(id) then return {'forbidden', id, status_of(id)} end
end
local wanted = {}
if step ~= '' and another_failed() then
  wanted = {step}
else
  for _, id in ipairs(steps) do
    if did_not_succeed(id) then wanted[#wanted + 1] = id end
  end
  wanted[#wanted + 1] = parent
end
for _, id in ipairs(wanted) do
  local name = forgotten(list_of(redis.call('HGET', job_key(id), 'datasets')))
  if name then return {'unavailable', name} end
end

for _, id in ipairs(wanted) do
  enter(id, 'queued')
  redis.call('HSET', job_key(id), 'attempts', 0)
end
redis.call('HSET', job_key(asked), 'nonce', nonce)
return queued()
