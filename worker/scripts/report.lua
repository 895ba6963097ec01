-- report(id, token, offset, progress, metrics, kept, event...): the stored offset, or nothing where
-- the lease is lost. Events up to an offset that was reached already are a repetition: not added.
-- Of the events of progress the newest `kept` stay in the stream.
local id, token, offset, progress, metrics = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local kept = tonumber(ARGV[7])
local key, recent = job_key(id), prefix .. ':progress:' .. id

local function tell_of_run(data)
  local told = tell(id, data)
  if cjson.decode(data).event ~= 'progress' then return end
  if redis.call('RPUSH', recent, told) > kept then
    redis.call('XDEL', stream_key(id), redis.call('LPOP', recent))
  end
end

if not holds_lease(id, token) then return {} end
local reached = redis.call('HGET', key, 'offset') or '0'
if tonumber(offset) > tonumber(reached) then
  for i = 8, #ARGV do tell_of_run(ARGV[i]) end
  redis.call('HSET', key, 'offset', offset)
  reached = offset
end
if progress ~= '' then redis.call('HSET', key, 'progress', progress) end
if metrics ~= '' then redis.call('HSET', key, 'metrics', metrics) end
return {reached}
