-- forget(dataset, nonce, limit_ms): keep new readers off a data set that nobody reads.
local name, nonce, limit_ms = ARGV[2], ARGV[3], ARGV[4]
local forgetting = redis.call('GET', forgetting_key(name))

if forgetting and forgetting ~= nonce then return {'unavailable'} end
local readers = redis.call('SMEMBERS', readers_key(name))
if #readers > 0 then return {'read', readers} end
redis.call('SET', forgetting_key(name), nonce, 'PX', limit_ms)
return {'forgetting'}
