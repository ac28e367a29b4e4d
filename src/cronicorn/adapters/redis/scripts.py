"""What runs inside the server, each as one step that nothing can come between."""

ACQUIRE = """
local time = redis.call('TIME')
local token = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), time[1] * 1000000 + time[2])
local tokens = {}
for number = 2, #KEYS do
  local key, claim = KEYS[number], ARGV[number]
  if redis.call('SET', key, claim, 'NX', 'PX', ARGV[1]) or redis.call('GET', key) == claim then
    token = token + 1
    tokens[number - 1] = token
  else
    tokens[number - 1] = 0
  end
end
redis.call('SET', KEYS[1], string.format('%.0f', token))
return tokens
"""
"""KEYS: the last token, then what to claim. ARGV: the ttl in ms, then the claim ids. Answers a token for each, or 0.

A token is the last one plus one, and at least the server's time in microseconds, so that tokens also grow when the
server has lost its data. They stay below 2^53 until the year 2255, and are exact in Lua until then.
"""

RENEW = """
local held = {}
for number = 1, #KEYS do
  held[number] = 0
  if redis.call('GET', KEYS[number]) == ARGV[number + 1] then
    held[number] = redis.call('PEXPIRE', KEYS[number], ARGV[1])
  end
end
return held
"""
"""KEYS: what was claimed. ARGV: the ttl in ms, then the claim ids. Answers 1 for each that is still held, else 0."""

RELEASE = """
for number = 1, #KEYS do
  if redis.call('GET', KEYS[number]) == ARGV[number] then
    redis.call('DEL', KEYS[number])
  end
end
"""
"""KEYS: what was claimed. ARGV: the claim ids."""
