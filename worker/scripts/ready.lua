-- ready(queue, limit): queued jobs whose dependencies all succeeded, the longest waiting first.
local queue, limit, found = queue_key(ARGV[2]), tonumber(ARGV[3]), {}

for _, id in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
  if #found >= limit then break end
  if dependencies_succeeded(redis.call('HGET', job_key(id), 'depends_on')) then
    found[#found + 1] = id
  end
end
return found
