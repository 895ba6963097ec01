-- create(key, digest, kept_ms, records): all or none; the id of the first, or of the key's job.
local key, digest, kept_ms = ARGV[2], ARGV[3], ARGV[4]
local records = cjson.decode(ARGV[5])
local key_key = prefix .. ':key:' .. key

if key ~= '' then
  local known = redis.call('HMGET', key_key, 'digest', 'job')
  if known[1] then return {known[1] == digest and 'created' or 'reused', known[2]} end
end
if redis.call('EXISTS', job_key(records[1].id)) == 1 then
  return {'created', records[1].id} -- the client repeats what it got no answer to
end
for _, record in ipairs(records) do
  local name = forgotten(list_of(record.row.datasets))
  if name then return {'unavailable', name} end
end

for _, record in ipairs(records) do
  local id, row, flat = record.id, record.row, {}
  for field, value in pairs(row) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  redis.call('HSET', job_key(id), unpack(flat))
  redis.call('ZADD', list_key('', ''), 0, id)
  redis.call('ZADD', list_key('', row.kind), 0, id)
  list_under(id, row.status, row.kind)
  if row.parent_id then redis.call('ZADD', children_key(row.parent_id), 0, id) end
  if row.queue then redis.call('ZADD', queue_key(row.queue), whole(now_us()), id) end
  hold(id, list_of(row.datasets))
  tell_status(id, row.status)
end
if key ~= '' then
  redis.call('HSET', key_key, 'digest', digest, 'job', records[1].id)
  redis.call('PEXPIRE', key_key, kept_ms)
end
return {'created', records[1].id}
