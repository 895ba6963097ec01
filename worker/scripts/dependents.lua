-- dependents(awaited, reason): failed jobs that wait for this one and failed for that reason.
local awaited, reason, found = ARGV[2], ARGV[3], {}

for _, id in ipairs(redis.call('ZRANGE', list_key('failed', ''), 0, -1)) do
  local row = redis.call('HMGET', job_key(id), 'depends_on', 'error')
  local waits = row[1] and row[1]:find(awaited, 1, true)
  if waits and row[2] and cjson.decode(row[2]).type == reason then found[#found + 1] = id end
end
return found
