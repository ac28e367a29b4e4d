"""Claims and quotas in Redis, or in Valkey, judged by the server's own clock."""
