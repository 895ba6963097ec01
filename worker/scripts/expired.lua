-- expired(): jobs whose lease has run out, the longest ago first.
return redis.call('ZRANGEBYSCORE', LEASES, '-inf', whole(now_ms()))
