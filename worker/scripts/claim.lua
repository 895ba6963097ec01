-- claim(id, worker, lease_ms, max_attempts, nonce): the fencing token, or nothing.
local id, worker, lease_ms, max_attempts, nonce = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local key = job_key(id)
local row = redis.call(
  'HMGET', key, 'status', 'queue', 'attempts', 'depends_on', 'nonce', 'token'
)

if row[5] == nonce and row[6] then return {row[6]} end -- repeated: see create
if row[1] ~= 'queued' or not row[2] then return {} end
if tonumber(row[3]) >= tonumber(max_attempts) then return {} end
if not dependencies_succeeded(row[4]) then return {} end

enter(id, 'running')
local token = whole(redis.call('INCR', prefix .. ':fence'))
redis.call('HINCRBY', key, 'attempts', 1)
redis.call('HSET', key, 'token', token, 'worker', worker, 'nonce', nonce)
redis.call('ZADD', LEASES, whole(now_ms() + tonumber(lease_ms)), id)
return {token}
