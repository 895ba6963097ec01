-- rewind(id, token, size): the stored offset, at most `size`; nothing where the lease is lost.
local id, token, size, key = ARGV[2], ARGV[3], ARGV[4], job_key(ARGV[2])

if not holds_lease(id, token) then return {} end
local reached = redis.call('HGET', key, 'offset') or '0'
if tonumber(reached) <= tonumber(size) then return {reached} end
redis.call('HSET', key, 'offset', size)
return {size}
