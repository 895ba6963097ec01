-- event(id, once, nonce, data): the id in the stream, or nothing where there is no such job.
-- The same `once` is told one time; its repetition answers with the id of the first.
local id, once, nonce, data = ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if redis.call('EXISTS', job_key(id)) == 0 then return {} end
if once == '' then
  local sent_key = prefix .. ':sent:' .. nonce -- kept for as long as a client may repeat itself
  local sent = redis.call('GET', sent_key)
  if not sent then
    sent = tell(id, data)
    redis.call('SET', sent_key, sent, 'PX', 60000)
  end
  return {sent}
end
local told_key = prefix .. ':told:' .. id
local told = redis.call('HGET', told_key, once)
if not told then
  told = tell(id, data)
  redis.call('HSET', told_key, once, told)
end
return {told}
