"""How the stores in PostgreSQL are opened: as by default, on a server that lacks what it may lack, and serializable."""

from cronicorn.adapters.postgres.options import Feature, Isolation, PostgresOptions

VARIANTS = {
    "default": PostgresOptions(),
    "flags off": PostgresOptions(without=frozenset(Feature)),
    "serializable": PostgresOptions(isolation=Isolation.SERIALIZABLE),
}
