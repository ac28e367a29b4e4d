"""The REST doors of an engine."""

from fastapi import FastAPI

from cronicorn.api.app import create_app, create_operations_app
from cronicorn.wiring.engine import Engine


def rest_app(parts: Engine) -> FastAPI:
    """The application that lets *parts* be asked over HTTP."""
    return create_app(
        parts.control, rehearsing=parts.rehearsing, health=parts.stores.health, metrics=parts.exposition,
        public_origin=parts.settings.public_url,
    )  # fmt: skip


def operations_app(parts: Engine) -> FastAPI:
    """The application that lets *parts* be watched, and nothing else."""
    return create_operations_app(health=parts.stores.health, metrics=parts.exposition)
