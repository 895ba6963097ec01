"""Whether the Redis that keeps the jobs keeps them through a restart of its own."""

from typing import Any, cast

from redis import asyncio, exceptions

_IN_MEMORY = (
    "the Redis of the jobs keeps them in memory alone: its next restart forgets them; turn its "
    "append-only file on (appendonly yes, appendfsync always)"
)
_SNAPSHOTS = (
    "the Redis of the jobs writes snapshots alone: after a crash the last minutes are missing; "
    "turn its append-only file on (appendonly yes, appendfsync always)"
)
_LATE = (
    "the Redis of the jobs writes to the disk after it has acknowledged: a power cut takes what "
    "came last; set appendfsync always"
)
_EVICTS = (
    "the Redis of the jobs deletes jobs when its memory is full: set maxmemory-policy noeviction"
)


async def warnings(client: asyncio.Redis) -> list[str]:
    """What Redis would lose, and when; nothing where it does not tell its settings.

    Raises redis.exceptions.ConnectionError and TimeoutError while it is away.
    """
    await cast(Any, client.ping())
    try:
        appended = await _setting(client, "appendonly")
        snapshots = await _setting(client, "save")
        synced = await _setting(client, "appendfsync")
        evicts = await _setting(client, "maxmemory-policy")
    except exceptions.ResponseError:  # hosted ones forbid CONFIG
        return []
    found = {
        _SNAPSHOTS if snapshots else _IN_MEMORY: appended == "no",
        _LATE: appended == "yes" and synced not in ("always", None),
        _EVICTS: evicts not in ("noeviction", None),
    }
    return [warning for warning, holds in found.items() if holds]


async def _setting(client: asyncio.Redis, name: str) -> str | None:
    """Asked one by one: Redis 6.2 does not tell two at once."""
    found = cast(dict[str, str], await client.config_get(name))
    return found.get(name)
