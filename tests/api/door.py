"""A client of the REST door, over ASGI, in front of stores in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from cronicorn.api.app import create_app
from cronicorn.domain.execution.limits import TierLimits
from tests.control.world import LOCAL, UNLIMITED_TIERS, World, a_world
from tests.wiring import api_socket

JSON = {"content-type": "application/json"}


async def no_metrics() -> bytes:
    return b"cronicorn_overdue_slots 0\n"


def an_app(world: World) -> FastAPI:
    """The door in front of *world*."""
    return create_app(world.control, rehearsing=world.rehearsing, health=world.stores.health, metrics=no_metrics)


@dataclass(slots=True)
class Door:
    """A client with a key, and the world behind the door."""

    world: World
    client: httpx.AsyncClient
    stranger: httpx.AsyncClient
    """The same door with the key of another tenant."""

    async def job(self, **fields: Any) -> dict[str, Any]:
        """A new job as answered."""
        return await self.made("/api/jobs", {"name": "shop"} | fields)

    async def endpoint(self, **fields: Any) -> dict[str, Any]:
        """A new endpoint as answered, each minute unless said otherwise."""
        job = await self.job()
        fields = {"name": "stock", "url": "https://shop.example/stock"} | fields
        if not {"baselineCron", "baselineIntervalMs", "onceAt", "dormant"} & set(fields):
            fields["baselineIntervalMs"] = 60_000
        return await self.made(f"/api/jobs/{job['id']}/endpoints", fields)

    async def made(self, path: str, document: object) -> dict[str, Any]:
        """What creating at *path* answers."""
        answer = await self.client.post(path, json=document)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def read(self, path: str) -> dict[str, Any]:
        """What *path* holds."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def a_client(transport: httpx.AsyncBaseTransport, key: str, url: str = "http://cronicorn") -> httpx.AsyncClient:
    """A client with *key* that reads no environment."""
    return httpx.AsyncClient(transport=transport, base_url=url, headers={"x-api-key": key}, trust_env=False)


@asynccontextmanager
async def a_door(limits: TierLimits = UNLIMITED_TIERS) -> AsyncIterator[Door]:
    """A door in front of an empty world with two tenants."""
    world = a_world(limits)
    key = (await world.control.tenants.add(LOCAL, "acme")).key
    other = (await world.control.tenants.add(LOCAL, "rival")).key
    transport = httpx.ASGITransport(app=an_app(world))
    async with a_client(transport, key) as client, a_client(transport, other) as stranger:
        yield Door(world, client, stranger)


@asynccontextmanager
async def a_listening_door() -> AsyncIterator[Door]:
    """As `a_door`, behind a real socket."""
    world = a_world()
    key = (await world.control.tenants.add(LOCAL, "acme")).key
    other = (await world.control.tenants.add(LOCAL, "rival")).key
    async with api_socket.listening(an_app(world)) as (_, port):
        url, transport = f"http://127.0.0.1:{port}", httpx.AsyncHTTPTransport()
        async with a_client(transport, key, url) as client, a_client(transport, other, url) as stranger:
            yield Door(world, client, stranger)


def assert_problem(answer: httpx.Response, status: int | None = None) -> dict[str, Any]:
    """That *answer* is a refusal told as a problem document."""
    assert 400 <= answer.status_code < 500, answer.text
    assert status is None or answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["message"] == problem["detail"] != ""
    assert {"type", "title", "instance"} <= set(problem)
    for error in problem.get("errors", []):
        assert error["detail"]
        assert error["pointer"] == "" or error["pointer"].startswith("/")
    return problem
