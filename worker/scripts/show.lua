-- show(id, revision, progress): replace the progress of a record that was not changed since.
local key = job_key(ARGV[2])
if redis.call('HGET', key, 'revision') == ARGV[3] then
  redis.call('HSET', key, 'progress', ARGV[4])
end
return {}
