"""The REST door of an engine."""

from fastapi import FastAPI

from cronicorn.api.app import create_app
from cronicorn.wiring.engine import Engine


def rest_app(parts: Engine) -> FastAPI:
    """The application that lets *parts* be asked over HTTP."""
    return create_app(parts.control, health=parts.stores.health, metrics=parts.exposition)
