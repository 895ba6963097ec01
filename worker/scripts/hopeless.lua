-- hopeless(queue, limit): queued jobs that wait for one that will not succeed, each with its id.
-- Steps that wait for a step of their own pipeline are left to it until it has ended.
local queue, limit, found = queue_key(ARGV[2]), tonumber(ARGV[3]), {}

local function lost(depends_on, parent_id)
  local follows = parent_id and not ENDED[redis.call('HGET', job_key(parent_id), 'status')]
  for _, id in ipairs(list_of(depends_on)) do
    local row = redis.call('HMGET', job_key(id), 'status', 'parent_id')
    local is_left = follows and row[2] == parent_id
    if (not row[1] or ENDED[row[1]]) and row[1] ~= 'succeeded' and not is_left then return id end
  end
  return nil
end

for _, id in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
  if #found >= limit then break end
  local row = redis.call('HMGET', job_key(id), 'depends_on', 'parent_id')
  local awaited = lost(row[1], row[2])
  if awaited then found[#found + 1] = {id, awaited} end
end
return found
