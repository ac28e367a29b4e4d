"""Every setting there is, by topic: what the reference documentation and `cronicorn settings` show."""

from datetime import timedelta

from cronicorn.domain.execution.limits import RUNS_MAX
from cronicorn.domain.quota.allowance import TOKENS_MAX
from cronicorn.domain.quota.bounds import CALL_TOKENS_MAX, CALLS_MAX
from cronicorn.wiring import readers
from cronicorn.wiring.database_url import parse_database_url
from cronicorn.wiring.host_flows import host_flows
from cronicorn.wiring.setting import Setting
from cronicorn.wiring.tiers import by_tier

_MS, _SECOND, _MINUTE, _DAY = (
    timedelta(milliseconds=1),
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(days=1),
)

_DOORS = (
    Setting(
        field="database_url", unit="URL", default="sqlite:", example="sqlite:cronicorn.db", read=parse_database_url,
        meaning="Where everything is stored. `sqlite:` alone means `cronicorn.db` in the platform's data folder, "
        "`sqlite:PATH` and `sqlite:///PATH` a file, `postgresql://USER:PASSWORD@HOST:PORT/DATABASE` a server for many "
        "machines (`?host=/run/postgresql` a socket), `memory:` nothing that outlives the process. A password is shown "
        "nowhere.",
    ),
    Setting(
        field="api_key", unit="secret", default="", example="a-long-random-word", read=readers.api_key, secret=True,
        meaning="The API key of the tenant `default`. When unset, one is made and printed once, on the first start. "
        "`CRONICORN_API_KEY_FILE` may name a file that holds it.",
    ),
    Setting(
        field="host", unit="host", default="127.0.0.1", example="127.0.0.1", read=readers.host,
        meaning="The address the API listens on. Loopback unless told otherwise.",
    ),
    Setting(
        field="port", unit="port", default="3333", example="3333", read=readers.whole_number(0, 65_535),
        meaning="The port the API listens on; 0 picks a free one.",
    ),
    Setting(
        field="public_url", unit="URL", default="", example="https://cron.example.org", read=readers.public_url,
        meaning="What browsers see of the API, where a proxy stands before it: scheme, host and port. With `https` the "
        "cookie of whoever signs in goes over TLS alone. Unset means what the request says.",
    ),
    Setting(
        field="metrics_port", unit="port", default="", example="9464", read=readers.whole_number(0, 65_535),
        meaning="The port on which `cronicorn scheduler`, which has no API, answers `/metrics`, `/healthz` and "
        "`/readyz`; 0 picks a free one, unset means none. Of several processes the second takes the port after it, "
        "and so on.",
    ),
)  # fmt: skip

_WORK = (
    Setting(
        field="calls_max", unit="calls", default="100", example="100", read=readers.whole_number(1, 10_000),
        meaning="Calls in progress at once, in each process. No more is claimed than there is room for.",
    ),
    Setting(
        field="tenant_calls_max", unit="calls", default="", example="20", read=readers.whole_number(1, 100_000),
        meaning="Calls of one tenant in progress at once, in all processes together. Unset means no limit; needs "
        "PostgreSQL and the mechanism `lease` or `legacy`.",
    ),
    Setting(
        field="host_calls_max", unit="calls", default="", example="10", read=readers.whole_number(1, 100_000),
        meaning="Calls to one host in progress at once, in all processes together. Unset means no limit; needs "
        "PostgreSQL and the mechanism `lease` or `legacy`.",
    ),
    Setting(
        field="host_flow", unit="hosts", default="", example="api.example.com=10/1sx4,*=100/1s", read=host_flows,
        meaning="How many calls to a host begin in any stretch of a period, and (after `x`) are in progress at once, "
        "of all tenants and in all processes together; `*` is every host that is not named. What comes on top waits. "
        "The same in all processes.",
    ),
    Setting(
        field="poll_interval", unit="duration", default="1s", example="1s", read=readers.duration(10 * _MS, _MINUTE),
        meaning="How long an idle scheduler waits before it looks again for what other processes wrote.",
    ),
    Setting(
        field="drain_grace", unit="duration", default="30s", example="30s",
        read=readers.duration(0 * _MS, 60 * _MINUTE),
        meaning="How long calls in progress, and looks of a planner, may go on after a stop was asked for.",
    ),
    Setting(
        field="egress_allow", unit="ranges", default="", example="127.0.0.0/8,10.1.2.3", read=readers.networks,
        meaning="Address ranges (CIDR, separated by commas) that may be called although they are not on the public "
        "internet. Closed by default.",
    ),
    Setting(
        field="retention", unit="duration", default="30d", example="30d", read=readers.duration(_MINUTE, 3_650 * _DAY),
        meaning="How long runs and skips are kept.",
    ),
    Setting(
        field="retention_failures", unit="duration", default="", example="90d",
        read=readers.duration(_MINUTE, 3_650 * _DAY),
        meaning="How long runs that failed are kept. Unset means as long as all others.",
    ),
    Setting(
        field="redaction_key", unit="secret", default="", example="a-long-random-word", read=readers.redaction_key,
        secret=True,
        meaning="Hashes what endpoints `redact` of their answers, so that equal secrets are seen to be equal: 16 to 64 "
        "characters, the same in all processes. When unset, all secrets look the same. `CRONICORN_REDACTION_KEY_FILE` "
        "may name a file that holds it.",
    ),
    Setting(
        field="endpoints_max", unit="tiers", default="", example="free-tier:10,500",
        read=by_tier(readers.whole_number(0, 10_000_000)),
        meaning="How many endpoints that are not archived each tenant of a tier may have. A number alone is for all "
        "other tiers. Unset means no limit.",
    ),
    Setting(
        field="interval_min", unit="tiers", default="", example="free-tier:5m,10s",
        read=by_tier(readers.duration(_MS, 30 * _DAY)),
        meaning="The least minimum that endpoints of a tier may have between two calls. A duration alone is for all "
        "other tiers. Unset means no limit.",
    ),
    Setting(
        field="runs_per_month", unit="tiers", default="", example="free-tier:10000,pro-tier:1000000",
        read=by_tier(readers.whole_number(0, RUNS_MAX)),
        meaning="How many calls each tenant of a tier may make in a calendar month (UTC), retries included; what comes "
        "after that is `skipped_quota`. A number alone is for all other tiers. Unset means no limit. The same in all "
        "processes; commands such as `explain`, `quota show` and `apply` are processes, too, and read it from their "
        "terminal.",
    ),
    Setting(
        field="seed", unit="text", default="", example="2026", read=readers.short_text,
        meaning="Decides the jitter of retries, so that a history can be repeated.",
    ),
)  # fmt: skip

_SECRETS = (
    Setting(
        field="master_key", unit="secret", default="", example="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        read=readers.master_keys, secret=True,
        meaning="Seals signing keys and secrets in the store: what `cronicorn master-key new` prints. Several, "
        "separated by commas or lines, change it: the first seals, all open. When unset, one is made when the first "
        "secret is, and kept beside a SQLite file (`cronicorn.db.key`), else in the platform's data folder "
        "(`master.key`). The same in all processes. `CRONICORN_MASTER_KEY_FILE` may name a file that holds it.",
    ),
    Setting(
        field="master_key_command", unit="command", default="", example="pass show cronicorn", read=readers.command,
        meaning="A command that prints the master key when a process starts, instead of MASTER_KEY. It is run without "
        "a shell, and has 10 s.",
    ),
    Setting(
        field="signing_plain", unit="word", default="no", example="yes", read=readers.yes_or_no,
        meaning="Whether signed calls also carry `X-Cronicorn-Timestamp` and `X-Cronicorn-Signature: sha256=HEX`, "
        "beside the headers of Standard Webhooks.",
    ),
)  # fmt: skip

_LEASES = (
    Setting(
        field="lease_mechanism", unit="words", default="lease", example="lease:90,optimistic:10",
        read=readers.mechanisms,
        meaning="What keeps two workers from running one slot: `lease`, `legacy`, `optimistic`, `redis` or `etcd`; or "
        "several of them, each with its share of the tenants in percent. The same in all processes.",
    ),
    Setting(
        field="lease_ttl", unit="duration", default="30s", example="30s", read=readers.duration(_SECOND, 60 * _MINUTE),
        meaning="How long a slot belongs to a worker that is not heard of again. With POLL_INTERVAL it bounds how "
        "late the slot of a killed worker runs.",
    ),
    Setting(
        field="renew_interval", unit="duration", default="10s", example="10s",
        read=readers.duration(50 * _MS, 20 * _MINUTE),
        meaning="How often leases are renewed; a third of LEASE_TTL unless set.",
    ),
    Setting(
        field="lease_margin", unit="duration", default="3s", example="3s",
        read=readers.duration(10 * _MS, 10 * _MINUTE),
        meaning="A worker stops a call this much before its lease ends, by its own clock; a tenth of LEASE_TTL unless "
        "set.",
    ),
    Setting(
        field="legacy_lock", unit="duration", default="60s", example="60s",
        read=readers.duration(_SECOND, 24 * 60 * _MINUTE),
        meaning="How long the mechanism `legacy` locks an endpoint for one run. It is never renewed: a longer call is "
        "stopped.",
    ),
    Setting(
        field="redis_url", unit="URL", default="", example="redis://127.0.0.1:6379/0", read=readers.redis_url,
        meaning="Where the mechanism `redis` keeps its leases.",
    ),
    Setting(
        field="etcd_url", unit="URL", default="", example="http://127.0.0.1:2379", read=readers.etcd_url,
        meaning="Where the mechanism `etcd` keeps its leases.",
    ),
)  # fmt: skip

_STORES = (
    Setting(
        field="sqlite_backup", unit="word", default="yes", example="no", read=readers.yes_or_no,
        meaning="Whether a SQLite file is copied before its tables are brought up to date, to FILE.REVISION.backup "
        "beside it. With `yes` a start is refused where the disk has no room for that.",
    ),
    Setting(
        field="sqlite_synchronous", unit="word", default="normal", example="full",
        read=readers.one_of("normal", "full"),
        meaning="What a power cut may take from a SQLite store: normal may lose the last moments, full loses nothing.",
    ),
    Setting(
        field="postgres_connections", unit="connections", default="8", example="8", read=readers.whole_number(2, 500),
        meaning="Connections of each process to PostgreSQL at most, besides one that renews leases and one that "
        "listens.",
    ),
    Setting(
        field="postgres_shards", unit="parts", default="1", example="4", read=readers.whole_number(1, 1_024),
        meaning="Into how many parts the schedule of a new PostgreSQL database falls; one that is there keeps what it "
        "has.",
    ),
    Setting(
        field="postgres_isolation", unit="word", default="read_committed", example="serializable",
        read=readers.one_of("read_committed", "serializable"),
        meaning="How transactions on PostgreSQL are kept apart. Both are right; serializable is for servers that know "
        "nothing else.",
    ),
    Setting(
        field="postgres_without", unit="words", default="", example="notify,prepared",
        read=readers.some_of("notify", "prepared", "skip_locked"),
        meaning="What the server lacks although it speaks PostgreSQL's protocol, separated by commas: `notify` and "
        "`prepared` behind a pooler in transaction mode, `skip_locked` on some relatives of PostgreSQL.",
    ),
)  # fmt: skip

_MODEL = (
    Setting(
        field="ai_model", unit="name", default="", example="openai:gpt-5-mini", read=readers.model_name,
        meaning="The language model that may be asked: `openai:`, `anthropic:` or `google:`, then its name there. "
        "Unset means none, and nothing is sent to any. Needs the extra `ai`.",
    ),
    Setting(
        field="ai_base_url", unit="URL", default="", example="http://127.0.0.1:11434/v1", read=readers.model_url,
        meaning="Where the model is, if not at its provider: with `openai:` any server that speaks OpenAI's chat "
        "completions.",
    ),
    Setting(
        field="ai_api_key", unit="secret", default="", example="sk-a-long-random-word", read=readers.model_key,
        secret=True,
        meaning="The key for the model's provider; a server of one's own may need none. `CRONICORN_AI_API_KEY_FILE` "
        "may name a file that holds it.",
    ),
    Setting(
        field="ai_temperature", unit="word", default="0", example="none", read=readers.one_of("0", "none"),
        meaning="How freely the model may choose its words: `0`, so that it answers the same alike, which is left out "
        "for models that are known to refuse it; or `none`, for a server whose model refuses it and is not known to.",
    ),
)  # fmt: skip

_QUOTA = (
    Setting(
        field="quota_mode", unit="word", default="reserve", example="soft",
        read=readers.one_of("reserve", "soft", "advisory"),
        meaning="How tenants are kept within their tokens: `reserve` never exceeds a limit, `soft` exceeds it by a "
        "bound that the start tells, `advisory` charges estimates under a lock. The same in all processes.",
    ),
    Setting(
        field="quota_store", unit="word", default="database", example="redis",
        read=readers.one_of("database", "redis"),
        meaning="Where the books of tokens are: in the database, or in the server at REDIS_URL. The same in all "
        "processes.",
    ),
    Setting(
        field="quota_tiers", unit="tiers", default="free-tier:10000,pro-tier:100000,enterprise:1000000",
        example="free-tier:10000,pro-tier:100000",
        read=by_tier(readers.whole_number(0, TOKENS_MAX), for_others=False),
        meaning="The tiers there are, and how many tokens of a language model a tenant of each may spend in a window.",
    ),
    Setting(
        field="quota_tier", unit="name", default="free-tier", example="free-tier", read=readers.short_text,
        meaning="The tier of tenants for whom `cronicorn tenant set` chose none, or one that is no more.",
    ),
    Setting(
        field="quota_period", unit="word", default="day", example="month", read=readers.one_of("day", "month"),
        meaning="How long a window of a quota is.",
    ),
    Setting(
        field="quota_zone", unit="zone", default="UTC", example="Europe/Berlin", read=readers.zone,
        meaning="The time zone in which days and months begin.",
    ),
    Setting(
        field="quota_calls_max", unit="calls", default=str(CALLS_MAX), example="4",
        read=readers.whole_number(1, 10_000),
        meaning="How many calls of a model one planner makes at once; and in the mode `soft`, of one tenant, all "
        "processes together, compiles included: a factor of its bound. The same in all processes.",
    ),
    Setting(
        field="quota_call_tokens_max", unit="tokens", default=str(CALL_TOKENS_MAX), example="9000",
        read=readers.whole_number(1, 10_000_000),
        meaning="What one call of a model may cost at most, sent and answered: the other factor of that bound. Where a "
        f"model is named, {CALL_TOKENS_MAX} at least. The same in all processes.",
    ),
    Setting(
        field="quota_soft_forced", unit="word", default="no", example="yes", read=readers.yes_or_no,
        meaning="Whether the mode `soft` starts although its bound is more than 20 % of a limit.",
    ),
)  # fmt: skip

_ALERTS = (
    Setting(
        field="alert_interval", unit="duration", default="10s", example="10s",
        read=readers.duration(100 * _MS, 60 * _MINUTE),
        meaning="How often somebody looks for incidents: one process at a time, whichever comes first. The same in all "
        "processes.",
    ),
    Setting(
        field="smtp_url", unit="URL", default="", example="smtp://USER:PASSWORD@mail.example.com:587",
        read=readers.smtp_url,
        meaning="The server that takes mail about incidents: `smtp://` with STARTTLS, without which nothing is sent, "
        "`smtps://` with TLS from the start, `smtp+plain://` without either, for one on this machine. Needs the extra "
        "`email`, and SMTP_FROM.",
    ),
    Setting(
        field="smtp_from", unit="address", default="", example="cronicorn@example.com", read=readers.address,
        meaning="From whom that mail is.",
    ),
)  # fmt: skip

_LOGS = (
    Setting(
        field="log_level", unit="word", default="info", example="info",
        read=readers.one_of("debug", "info", "warning", "error"),
        meaning="The least level that is logged: debug, info, warning or error.",
    ),
    Setting(
        field="log_format", unit="word", default="auto", example="json", read=readers.one_of("auto", "text", "json"),
        meaning="How logs are written: text, json, or auto (text when stderr is a terminal, json otherwise).",
    ),
    Setting(
        field="traces_url", unit="URL", default="", example="http://127.0.0.1:4318/v1/traces", read=readers.traces_url,
        meaning="Where a scheduler tells, over OTLP/HTTP, of each slot and its calls, whose targets get a "
        "`traceparent`. Unset means nowhere. Needs the extra `otel`.",
    ),
    Setting(
        field="traces_share", unit="share", default="1", example="0.01", read=readers.share,
        meaning="Of how many slots it tells: of all with 1. The same in all processes.",
    ),
)  # fmt: skip

_AGENTS = (
    Setting(
        field="mcp", unit="word", default="no", example="yes", read=readers.yes_or_no,
        meaning="Whether the API answers agents under `/mcp`, by the Model Context Protocol. Needs the extra `mcp`.",
    ),
    Setting(
        field="mcp_write", unit="word", default="no", example="yes", read=readers.yes_or_no,
        meaning="Whether agents are offered tools that change something. What a key may do is another matter.",
    ),
    Setting(
        field="mcp_read_only", unit="word", default="no", example="yes", read=readers.yes_or_no,
        meaning="Whether they are offered none of those, whatever else is set or asked for.",
    ),
    Setting(
        field="mcp_toolsets", unit="words", default="observe,policy,steer", example="observe",
        read=readers.some_of("admin", "observe", "policy", "steer"),
        meaning="Which tools they are offered, separated by commas: `observe`, `steer`, `policy`, `admin`. The last "
        "makes and deletes endpoints, and has to be named.",
    ),
    Setting(
        field="mcp_exclude", unit="words", default="", example="policy_activate,endpoint_delete",
        read=readers.tool_names,
        meaning="Tools that they are not offered all the same, separated by commas.",
    ),
    Setting(
        field="mcp_key", unit="secret", default="", example="ck_a-long-random-word", read=readers.api_key, secret=True,
        meaning="The API key that `cronicorn mcp` acts with: its tenant, its permissions. Unset means the person at "
        "the machine. `CRONICORN_MCP_KEY_FILE` may name a file that holds it.",
    ),
    Setting(
        field="mcp_authorization_server", unit="URL", default="", example="https://login.example.org/realms/cron",
        read=readers.issuer,
        meaning="Who hands out API keys as access tokens, where somebody does: the metadata of `/mcp` (RFC 9728) names "
        "it to clients.",
    ),
)  # fmt: skip

SETTINGS: tuple[Setting, ...] = (
    *_DOORS,
    *_WORK,
    *_SECRETS,
    *_LEASES,
    *_STORES,
    *_MODEL,
    *_AGENTS,
    *_QUOTA,
    *_ALERTS,
    *_LOGS,
)
