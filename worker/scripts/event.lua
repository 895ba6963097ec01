-- event(id, once, data): the id in the stream, or nothing where there is no such job.
-- The same `once` is told one time; its repetition answers with the id of the first.
local id, once, data = ARGV[2], ARGV[3], ARGV[4]
local told_key = prefix .. ':told:' .. id

if redis.call('EXISTS', job_key(id)) == 0 then return {} end
if once == '' then return {tell(id, data)} end
local told = redis.call('HGET', told_key, once)
if not told then
  told = tell(id, data)
  redis.call('HSET', told_key, once, told)
end
return {told}
