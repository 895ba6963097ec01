-- webhook_due(claim_ms): the delivery that has been due for longest, one attempt counted, or
-- nothing. It is due again after claim_ms, should whoever asked die over it.
local due = redis.call('ZRANGEBYSCORE', WEBHOOKS, '-inf', whole(now_ms()), 'LIMIT', 0, 1)
if not due[1] then return {} end
local key = webhook_key(due[1])
redis.call('ZADD', WEBHOOKS, whole(now_ms() + tonumber(ARGV[2])), due[1])
local attempts = redis.call('HINCRBY', key, 'attempts', 1)
local stored = redis.call('HMGET', key, 'row', 'at')
return {due[1], attempts, stored[2], cjson.decode(stored[1])}
