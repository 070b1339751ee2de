-- Counts one request in every window, or in none if one of them is full.
-- KEYS: a counter for each window; ARGV: for each window its limit, then its time to live in seconds.
-- Returns the counts after it, the refused request not among them, and 1 as the first element if it was counted.
-- The windows are the caller's, by its clock: the time to live only collects garbage.
local answer = {1}
for i, key in ipairs(KEYS) do
    answer[i + 1] = tonumber(redis.call('GET', key) or '0')
    if answer[i + 1] >= tonumber(ARGV[2 * i - 1]) then
        answer[1] = 0
    end
end
if answer[1] == 1 then
    for i, key in ipairs(KEYS) do
        answer[i + 1] = redis.call('INCR', key)
        if answer[i + 1] == 1 then
            redis.call('EXPIRE', key, ARGV[2 * i])
        end
    end
end
return answer
