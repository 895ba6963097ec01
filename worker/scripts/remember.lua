-- remember(dataset, nonce): end a `forget`, unless its time ran out and another has begun.
local key = forgetting_key(ARGV[2])
if redis.call('GET', key) == ARGV[3] then redis.call('DEL', key) end
return {}
