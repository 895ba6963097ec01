from collections.abc import Iterator
from pathlib import Path

import pytest

from models.registry import Registry
from tests.app.client import Client, publish_tiny, serving, tiny_settings


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Where the client's models lie: `tiny`, version 1, in production."""
    return publish_tiny(tmp_path)


@pytest.fixture
def client(tmp_path: Path, registry: Registry) -> Iterator[Client]:
    """A service that answers with `tiny`."""
    assert registry.names() == ("tiny",)
    with serving(tiny_settings(tmp_path)) as opened:
        yield opened
