"""Images that are named by their addresses, which a real service fetches from a real host."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sentiscope.client import (
    AsyncClient,
    BadRequest,
    Client,
    Forbidden,
    Invalid,
    Prediction,
    Predictions,
    Unsupported,
)
from tests.app.internet import Host, content, hosting
from tests.app.pictures import BLUE, GREEN, RED, encoded, solid
from tests.sentiscope.command_line import sentiscope
from tests.sentiscope.on_a_port import tiny_service

Predict = Callable[..., Predictions]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A host of two pictures, and of something else."""
    answers = {"/red.png": encoded(solid(RED)), "/green.png": encoded(solid(GREEN)), "/a": b"words"}
    with hosting({path: content(body) for path, body in answers.items()}) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, host: Host) -> Iterator[str]:
    """A service that fetches from that host alone, and takes 4 images a request."""
    allowed = {"url_private_hosts": (f"http://127.0.0.1:{host.port}",), "max_images": 4}
    with tiny_service(tmp_path_factory.mktemp("service"), **allowed) as url:
        yield url


@pytest.fixture
def at(host: Host) -> str:
    """Where its pictures are."""
    return f"http://127.0.0.1:{host.port}"


def blocking(url: str, images: Any, **options: Any) -> Predictions:
    with Client(url) as client:
        return client.predict(images, **options)


def concurrent(url: str, images: Any, **options: Any) -> Predictions:
    async def ask() -> Predictions:
        async with AsyncClient(url) as client:
            return await client.predict(images, **options)

    return asyncio.run(ask())


BOTH = pytest.mark.parametrize("predict", [blocking, concurrent])


@BOTH
def test_image_is_fetched_by_its_address_wherever_it_stands(
    predict: Predict, url: str, at: str
) -> None:
    blue = encoded(solid(BLUE))
    images = [f"{at}/red.png", blue, f"{at}/green.png", blue, f"{at.upper()}/red.png", blue]
    found = predict(url, images)
    assert [each.source for each in found] == [
        each if isinstance(each, str) else None for each in images
    ]
    labels = [each.single.label for each in found if isinstance(each, Prediction) and each.single]
    assert labels == ["red", "blue", "green", "blue", "red", "blue"]
    assert predict(url, f"{at}/red.png").one().single == predict(url, solid(RED)).one().single


@BOTH
def test_address_that_is_refused_is_an_error_of_its_own_kind(
    predict: Predict, url: str, at: str
) -> None:
    for address, error, reason in (
        ("https://elsewhere.test/a.png", Forbidden, "elsewhere.test"),
        ("http://", BadRequest, "no whole address"),
        (f"{at}/none.png", Invalid, "404"),
        (f"{at}/a", Unsupported, "5 bytes"),
    ):
        with pytest.raises(error, match=reason):
            predict(url, address).one()


@BOTH
def test_addresses_that_fail_are_told_in_their_places(predict: Predict, url: str, at: str) -> None:
    wrong = ["https://elsewhere.test/a.png", f"{at}/none.png", "https://"]
    kinds = ("url-refused", "image-not-fetched", "malformed-request")
    for images in (wrong, [*wrong, f"{at}/red.png"], [encoded(solid(RED)), *wrong, b"words"] * 2):
        found = predict(url, images)
        failed = {each.source: each.problem.kind for each in found.failed if each.source}
        assert failed == dict(zip(wrong, kinds, strict=True))
        assert len(found) == len(images)


def test_command_takes_addresses_where_a_service_is_named(
    url: str, at: str, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(solid(GREEN)))
    result = sentiscope("predict", f"{at}/red.png", tmp_path, "--jsonl", "--url", url)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["file"], each["single"]["label"]) for each in found] == [
        (f"{at}/red.png", "red"),
        (str(tmp_path / "a.png"), "green"),
    ]
    assert result.exit_code == 0


def test_without_a_service_nothing_is_fetched(at: str, host: Host) -> None:
    asked = len(host.asked)
    result = sentiscope("predict", f"{at}/red.png", "--jsonl")
    assert "from which a service alone fetches" in json.loads(result.stdout)["error"]["detail"]
    assert (result.exit_code, len(host.asked)) == (1, asked)
