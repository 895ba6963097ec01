-- report(id, token, offset, progress, metrics, event...): the stored offset, or nothing where the
-- lease is lost. Events up to an offset that was reached already are a repetition: not added.
local id, token, offset, progress, metrics = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local key = job_key(id)

if not holds_lease(id, token) then return {} end
local reached = redis.call('HGET', key, 'offset') or '0'
if tonumber(offset) > tonumber(reached) then
  for i = 7, #ARGV do tell(id, ARGV[i]) end
  redis.call('HSET', key, 'offset', offset)
  reached = offset
end
if progress ~= '' then redis.call('HSET', key, 'progress', progress) end
if metrics ~= '' then redis.call('HSET', key, 'metrics', metrics) end
return {reached}
