"""Databases whose schedule falls into parts."""

import asyncpg


async def divide(url, shards):
    """Have the schedule of an empty database fall into so many parts, as if it had been made with them."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"UPDATE cronicorn.installation SET shards = {shards}")
    await connection.close()
