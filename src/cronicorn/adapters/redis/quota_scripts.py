"""What runs inside the server for quotas, each as one step that nothing can come between.

All keys begin with the prefix of the installation in braces, so a cluster keeps them on one of its members. A book is a
hash of four counters, a grant a hash that names its book, and what is still reserved of a tenant a set sorted by when
it expires. Instants are microseconds since 1970: below 2^53 until the year 2255, and exact in Lua until then.
"""

_COMMON = """
local function now_us(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function whole(number)
  return string.format('%.0f', number)
end

local COUNTERS = {'compile_used', 'compile_reserved', 'analysis_used', 'analysis_reserved'}

local function counts(book)
  local found = redis.call('HMGET', book, unpack(COUNTERS))
  for number = 1, #COUNTERS do found[number] = tonumber(found[number] or '0') end
  return found
end

local function seen(verdict, now, start, finish, book, burst)
  local answer = {verdict, whole(now), start, finish, burst or ''}
  for _, count in ipairs(counts(book)) do answer[#answer + 1] = whole(count) end
  return answer
end

local function charge_expired(open, prefix, now, kept_ms)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', open, '-inf', whole(now))) do
    local grant = prefix .. id
    local found = redis.call('HMGET', grant, 'book', 'budget', 'estimate')
    redis.call('HINCRBY', found[1], found[2] .. '_used', found[3])
    redis.call('HINCRBY', found[1], found[2] .. '_reserved', '-' .. found[3])
    redis.call('HSET', grant, 'charged', '1')
    redis.call('PEXPIRE', grant, kept_ms)
    redis.call('ZREM', open, id)
  end
end
"""

FITS = """
  local used, taken = count[1] + count[3], count[1] + count[2] + count[3] + count[4]
  local first = budget == 'compile' and 1 or 3
  if soft then return used < limit and count[first] < cap and taken - used + estimate <= room end
  return taken + estimate <= limit and count[first] + count[first + 1] + estimate <= cap
"""

RESERVE = f"""{_COMMON}
local function fits(count, budget, estimate, limit, cap, soft, room){FITS}end

local now, start, finish = now_us(ARGV[1]), ARGV[2], ARGV[3]
local book, open, burst_key, grant = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local estimate, budget, every = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[12])
charge_expired(open, ARGV[4], now, ARGV[14])
local known = redis.call('HMGET', grant, 'book', 'start', 'finish')
if known[1] then return seen('known', now, known[2], known[3], known[1]) end
if now < tonumber(start) or now >= tonumber(finish) then return {{'window', whole(now)}} end
local burst = redis.call('GET', burst_key)
-- No burst leads further: who set the clock back would otherwise be granted nothing for as long.
if every and burst and tonumber(burst) > now + tonumber(ARGV[13]) + every then burst = false end
local early = every and burst and tonumber(burst) - tonumber(ARGV[13]) > now
local soft, room = ARGV[7] == 'soft', tonumber(ARGV[16]) or math.huge
if early or not fits(counts(book), budget, estimate, tonumber(ARGV[10]), tonumber(ARGV[11]), soft, room) then
  return seen('denied', now, start, finish, book, burst)
end
redis.call('HINCRBY', book, budget .. '_reserved', ARGV[8])
redis.call('PEXPIRE', book, ARGV[15])
redis.call('HSET', grant, 'id', ARGV[5], 'book', book, 'open', open, 'start', start, 'finish', finish,
           'budget', budget, 'estimate', ARGV[8], 'charged', '0', 'settled', '0')
redis.call('ZADD', open, whole(now + tonumber(ARGV[6])), ARGV[5])
if every then
  local arrival = math.max(tonumber(burst or '0'), now) + every
  redis.call('SET', burst_key, whole(arrival), 'PX', math.ceil((arrival - now) / 1000) + tonumber(ARGV[14]))
end
return seen('granted', now, start, finish, book)
"""
"""KEYS: book, open grants, burst, grant. ARGV: now or '', start and end of the window by guess, the prefix of grants,
id and ttl of the grant, mode, estimate, budget, limit, what the budget may take, a burst's every and tolerance or '',
how long an ended grant is kept and how long a book, in ms, the soft room or ''. Answers what is to do, the instant,
the window, the theoretical arrival time, and the counters.
"""

SETTLE = """
local grant, kept_ms = KEYS[1], ARGV[2]
local found = redis.call('HMGET', grant, 'book', 'budget', 'estimate', 'charged', 'settled', 'open', 'id')
if not found[1] then return 0 end
if found[5] == '1' then return 1 end
local estimate = tonumber(found[3])
local used = ARGV[1] == '' and estimate or tonumber(ARGV[1])
if found[4] == '1' then
  used = used - estimate
else
  redis.call('HINCRBY', found[1], found[2] .. '_reserved', string.format('%.0f', -estimate))
  redis.call('ZREM', found[6], found[7])
end
redis.call('HINCRBY', found[1], found[2] .. '_used', string.format('%.0f', used))
redis.call('HSET', grant, 'settled', '1')
redis.call('PEXPIRE', grant, kept_ms)
return 1
"""
"""KEYS: grant. ARGV: what it used, '' for the estimate; how long an ended grant is kept, in ms. Answers whether there
is such a grant, as 1 or 0.
"""

LOOK = f"""{_COMMON}
local now = now_us(ARGV[1])
charge_expired(KEYS[2], ARGV[4], now, ARGV[5])
if now < tonumber(ARGV[2]) or now >= tonumber(ARGV[3]) then return {{'window', whole(now)}} end
return seen('seen', now, ARGV[2], ARGV[3], KEYS[1])
"""
"""KEYS: book, open grants. ARGV: now or '', the window by guess, the prefix of grants, how long ended ones are kept.
"""

RECORD = f"""{_COMMON}
local now = now_us(ARGV[1])
if now < tonumber(ARGV[2]) or now >= tonumber(ARGV[3]) then return {{'window', whole(now)}} end
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', '600000') then
  redis.call('HINCRBY', KEYS[1], 'analysis_used', ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
return {{'done', whole(now)}}
"""
"""KEYS: book, the event. ARGV: now or '', the window by guess, tokens, how long a book is kept in ms."""
