-- webhook_later(name, delay_ms): due again after so long, unless it was settled meanwhile.
redis.call('ZADD', WEBHOOKS, 'XX', whole(now_ms() + tonumber(ARGV[3])), ARGV[2])
return {}
