-- select(list, before, limit, status, kind): rows of a list, newest first, all of one moment.
-- They are one JSON text, [[id, {field, value, ...}], ...]: thousands of strings are read slowly.
local list, before, limit = ARGV[2], ARGV[3], tonumber(ARGV[4])
local status, kind = ARGV[5], ARGV[6]
local found, from = {}, before == '' and '+' or '(' .. before

repeat
  local ids = redis.call('ZREVRANGEBYLEX', list, from, '-', 'LIMIT', 0, limit - #found)
  for _, id in ipairs(ids) do
    from = '(' .. id
    local row = redis.call('HMGET', job_key(id), 'status', 'kind')
    if (status == '' or row[1] == status) and (kind == '' or row[2] == kind) then
      found[#found + 1] = {id, redis.call('HGETALL', job_key(id))}
    end
  end
until #ids == 0 or #found >= limit
return {#found > 0 and cjson.encode(found) or '[]'}
