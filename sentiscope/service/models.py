"""Asking for models: list, show, card, manifest, aliases."""

from collections.abc import Mapping
from typing import Any

import httpx

from sentiscope.service.talk import Listing, Request, Talk, get, path_to, told
from sentiscope.service.value import Document, Value


class Model(Value):
    """A model's versions, oldest first, and where its aliases point."""

    name: str
    versions: tuple[str, ...]
    aliases: Mapping[str, str]
    fault: str = ""
    """Why the two cannot be read; empty where they can."""


def listed() -> Listing[Model]:
    """All models."""
    return Listing(get("/v1/models"), Model)


def shown(name: str) -> Talk[Model]:
    """One of them."""
    return (yield from told(get(path_to("models", name)), Model))


def manifest(name: str, version: str) -> Talk[dict[str, Any]]:
    """A version's manifest, and its digest."""
    return (yield from told(get(path_to("models", name, "versions", version)), Document)).root


def card(name: str, version: str) -> Talk[str]:
    """A version's card, Markdown."""
    response: httpx.Response = yield get(path_to("models", name, "versions", version, "card"))
    return response.text


def promoted(name: str, version: str, *, alias: str) -> Talk[Model]:
    """The model after an alias was moved; moving it twice is moving it once."""
    path = path_to("models", name, "aliases", alias)
    return (
        yield from told(Request("PUT", path, json={"version": version}, repeatable=True), Model)
    )
