-- outrun(id, token, fence): the next lease's token is above `fence`; nothing where this one is lost.
local id, token, fence, key = ARGV[2], ARGV[3], ARGV[4], prefix .. ':fence'

if not holds_lease(id, token) then return {} end
if tonumber(fence) > tonumber(redis.call('GET', key)) then redis.call('SET', key, fence) end
return {'outrun'}
