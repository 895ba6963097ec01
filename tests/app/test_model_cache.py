import asyncio
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.errors import InferenceLost
from app.loaded_model import LoadedModel, opener
from app.model_cache import ModelCache
from models.errors import ModelError
from models.registry import Registry, UnknownModel
from tests.app.client import publish_tiny, tiny_settings
from tests.tiny_bundle import tiny_writer

LONG_AGO_NS = 1_000_000_000_000_000_000


class Opened:
    """Opens models as the service does, and notes which."""

    def __init__(self, folder: Path) -> None:
        self._open = opener(tiny_settings(folder))
        self.labels: list[str] = []
        self.before: Callable[[Path], None] = lambda path: None

    def __call__(self, path: Path) -> LoadedModel:
        self.before(path)
        model = self._open(path)
        self.labels.append(model.bundle.label)
        return model


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Three versions, the first in production, none of it new."""
    opened = publish_tiny(tmp_path)
    for _ in range(2):
        opened.publish("tiny", tiny_writer("tiny"))
    _age(opened)
    return opened


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return Opened(tmp_path)


@pytest.fixture
def cache(registry: Registry, opened: Opened) -> ModelCache:
    return ModelCache(registry, opened, budget_bytes=1 << 30, recheck_s=0)


def _age(registry: Registry) -> None:
    """As if the last change were long ago, so that what is known of it counts."""
    folder = registry.root / "tiny"
    for path in (folder, folder / "aliases.json"):
        os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))


def _damage(registry: Registry, version: str) -> None:
    with (registry.root / "tiny" / version / "model.onnx").open("ab") as file:
        file.write(b"!")


async def _version(cache: ModelCache, reference: str = "tiny") -> str:
    return (await cache.model(reference)).manifest.version


def test_model_is_loaded_once_for_all_its_names(cache: ModelCache, opened: Opened) -> None:
    async def ask() -> None:
        names = ["tiny", "tiny@1", "tiny@production"] * 5
        found = await asyncio.gather(*map(cache.model, names))
        assert len(set(map(id, found))) == 1

    asyncio.run(ask())
    assert opened.labels == ["tiny@1"]


def test_promotion_by_another_process_counts_once_the_version_is_loaded(
    cache: ModelCache, registry: Registry, opened: Opened
) -> None:
    async def follow() -> None:
        assert await _version(cache) == "1"
        registry.set_alias("tiny", "production", version="2")
        assert await _version(cache) == "1"
        assert opened.labels == ["tiny@1"]
        await cache.refresh()
        assert await _version(cache) == "2"
        registry.set_alias("tiny", "production", version="1")
        assert await _version(cache) == "1"

    asyncio.run(follow())
    assert opened.labels == ["tiny@1", "tiny@2"]


def test_requests_are_answered_by_the_version_before_while_the_next_one_loads(
    cache: ModelCache, registry: Registry, opened: Opened
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(path: Path) -> None:
        begun.set()
        assert go_on.wait(20)

    async def follow() -> None:
        assert await _version(cache) == "1"
        registry.set_alias("tiny", "production", version="2")
        opened.before = wait
        async with cache.following(every_s=0):
            assert await asyncio.to_thread(begun.wait, 20)
            assert await _version(cache) == "1"
            go_on.set()
            while await _version(cache) == "1":
                await asyncio.sleep(0)
            assert await _version(cache) == "2"

    asyncio.run(follow())


def test_promotion_is_followed_though_the_processes_were_lost_while_it_loaded(
    cache: ModelCache, registry: Registry, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    def lose(path: Path) -> None:
        opened.before = lambda path: None
        raise InferenceLost

    async def follow() -> None:
        assert await _version(cache) == "1"
        registry.set_alias("tiny", "production", version="2")
        opened.before = lose
        async with asyncio.timeout(20), cache.following(every_s=0):
            while await _version(cache) == "1":
                await asyncio.sleep(0)

    asyncio.run(follow())
    assert caplog.text.count("stays as it is") == 1


def test_promotion_here_counts_at_once(cache: ModelCache, registry: Registry) -> None:
    async def promote() -> None:
        for version in ("1", "2", "3", "1"):
            await cache.point("tiny", "production", version=version)
            assert await _version(cache) == version

    asyncio.run(promote())


def test_promoted_version_stays_though_memory_is_short_and_requests_go_on(
    registry: Registry, opened: Opened
) -> None:
    cache = ModelCache(registry, opened, budget_bytes=1, recheck_s=0)

    async def promote() -> None:
        assert await _version(cache) == "1"
        promoting = asyncio.create_task(cache.point("tiny", "production", version="2"))
        while not promoting.done():
            await _version(cache)
            await asyncio.sleep(0)
        assert await _version(cache) == "2"

    asyncio.run(promote())
    assert opened.labels == ["tiny@1", "tiny@2"]


def test_model_goes_on_loading_though_who_asked_for_it_gave_up(
    cache: ModelCache, opened: Opened
) -> None:
    go_on = threading.Event()

    def wait(path: Path) -> None:
        assert go_on.wait(20)

    opened.before = wait

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await cache.model("tiny")
        go_on.set()
        assert await _version(cache) == "1"

    asyncio.run(give_up())
    assert opened.labels == ["tiny@1"]


def test_promotion_to_a_version_that_cannot_run_changes_nothing(
    cache: ModelCache, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    async def follow() -> None:
        assert await _version(cache) == "1"
        _damage(registry, "2")
        (registry.root / "tiny" / "aliases.json").write_text('{"production": "2"}')
        for _ in range(3):
            await cache.refresh()
        assert await _version(cache) == "1"
        registry.set_alias("tiny", "production", version="3")
        await cache.refresh()
        assert await _version(cache) == "3"

    with caplog.at_level(logging.WARNING):
        asyncio.run(follow())
    assert caplog.text.count("stays as it is") == 1


def test_request_that_finds_its_version_deleted_asks_what_the_alias_means_now(
    cache: ModelCache, registry: Registry, opened: Opened
) -> None:
    def promote_and_delete(path: Path) -> None:
        opened.before = lambda path: None
        registry.set_alias("tiny", "production", version="2")
        registry.delete("tiny", "1")

    opened.before = promote_and_delete
    assert asyncio.run(_version(cache)) == "2"


def test_version_in_use_can_be_deleted(cache: ModelCache, registry: Registry) -> None:
    async def delete() -> None:
        held = await cache.model("tiny@2")
        await cache.delete("tiny", "2")
        image = np.zeros((3, 16, 16), np.float32)
        assert held.run(image, ["single"])["single"].shape == (3,)
        with pytest.raises(UnknownModel):
            await cache.model("tiny@2")

    asyncio.run(delete())
    assert registry.versions("tiny") == ("1", "3")


def test_model_not_used_for_longest_goes_when_memory_is_short(
    registry: Registry, opened: Opened
) -> None:
    async def ask() -> None:
        small = ModelCache(registry, opened, budget_bytes=1)
        size = (await small.model("tiny@1")).memory_bytes
        opened.labels.clear()
        cache = ModelCache(registry, opened, budget_bytes=2 * size)
        for version in ("1", "2", "1", "3", "1", "2"):
            assert await _version(cache, f"tiny@{version}") == version

    asyncio.run(ask())
    assert opened.labels == ["tiny@1", "tiny@2", "tiny@3", "tiny@2"]


def test_one_model_stays_however_small_the_budget(registry: Registry, opened: Opened) -> None:
    cache = ModelCache(registry, opened, budget_bytes=1)

    async def ask() -> None:
        for version in ("1", "1", "2", "2"):
            assert await _version(cache, f"tiny@{version}") == version

    asyncio.run(ask())
    assert opened.labels == ["tiny@1", "tiny@2"]


def test_model_that_is_gone_is_unknown_and_no_longer_followed(
    cache: ModelCache, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    async def ask() -> None:
        assert await _version(cache, "tiny@2") == "2"
        registry.delete("tiny", "2")
        await cache.refresh()
        with pytest.raises(UnknownModel):
            await cache.model("tiny@2")

    asyncio.run(ask())
    assert caplog.text == ""


def test_damaged_model_is_an_error_each_time_and_hinders_no_other(
    cache: ModelCache, registry: Registry
) -> None:
    _damage(registry, "2")

    async def ask() -> None:
        for _ in range(2):
            with pytest.raises(ModelError, match=r"model\.onnx"):
                await cache.model("tiny@2")
            assert await _version(cache) == "1"

    asyncio.run(ask())


def test_registry_is_not_asked_again_within_a_moment_unless_this_process_changed_it(
    registry: Registry, opened: Opened
) -> None:
    cache = ModelCache(registry, opened, budget_bytes=1 << 30, recheck_s=1000)

    async def ask() -> None:
        assert await _version(cache) == "1"
        registry.set_alias("tiny", "production", version="2")
        await cache.model("tiny@2")
        assert await _version(cache) == "1"
        await cache.point("tiny", "canary", version="3")
        assert await _version(cache) == "2"
        await cache.delete("tiny", "1")
        with pytest.raises(UnknownModel):
            await cache.model("tiny@1")

    asyncio.run(ask())


def test_promotion_counts_for_a_request_that_is_loading_what_was_in_production_before(
    cache: ModelCache, registry: Registry, opened: Opened
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(path: Path) -> None:
        opened.before = lambda path: None
        begun.set()
        assert go_on.wait(20)

    async def promote() -> None:
        await cache.model("tiny@2")
        opened.before = wait
        asking = asyncio.create_task(_version(cache))
        assert await asyncio.to_thread(begun.wait, 20)
        promoting = asyncio.create_task(cache.point("tiny", "production", version="2"))
        await asyncio.sleep(0)
        go_on.set()
        assert await asking == "1"
        await promoting
        assert await _version(cache) == "2"

    asyncio.run(promote())
