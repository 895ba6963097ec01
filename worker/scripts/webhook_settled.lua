-- webhook_settled(name): it is never due again.
redis.call('ZREM', WEBHOOKS, ARGV[2])
redis.call('DEL', webhook_key(ARGV[2]))
return {}
