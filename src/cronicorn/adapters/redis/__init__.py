"""Claims in Redis, or in Valkey: keys that expire, judged by the server's own clock."""
