-- renew(id, token, lease_ms): the job's status, or nothing where the lease is lost.
local id, token, lease_ms = ARGV[2], ARGV[3], ARGV[4]

if not holds_lease(id, token) then return {} end
redis.call('ZADD', LEASES, whole(now_ms() + tonumber(lease_ms)), id)
return {redis.call('HGET', job_key(id), 'status')}
