"""The client's predictions, from a real service: every form of image, batches, errors, keys."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from PIL import Image

from app.errors import RequestError
from app.keys import Scope, create_key
from sentiscope.client import (
    AsyncClient,
    Client,
    FailedPrediction,
    Forbidden,
    Invalid,
    KeyMissing,
    NotFound,
    Prediction,
    Predictions,
    SentiscopeError,
    TooLarge,
    Unreachable,
    Unsupported,
    UnusableImage,
    UnusableKey,
)
from sentiscope.service.errors import BY_STATUS
from tests.app.pictures import BLUE, GREEN, RED, deep_rgb_png, encoded, halves, noise, solid
from tests.sentiscope.on_a_port import tiny_service

Predict = Callable[..., Predictions]
BROKEN = encoded(noise((64, 64)))[:500]
WORDS = b"no picture"
KINDS: Sequence[bytes] = (
    encoded(solid(RED)),
    encoded(halves(GREEN, BLUE), "JPEG"),
    deep_rgb_png((60_000, 2_000, 9_000)),
    BROKEN,
    WORDS,
    b"",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that answers with `tiny`."""
    with tiny_service(tmp_path_factory.mktemp("service")) as url:
        yield url


@pytest.fixture(scope="module")
def narrow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that takes 3 images of 64 KB a request, and 10,000 pixels an image."""
    limits = {"max_images": 3, "max_body_bytes": 64_000, "max_pixels": 10_000}
    with tiny_service(tmp_path_factory.mktemp("narrow"), **limits) as url:
        yield url


@pytest.fixture(scope="module")
def alone(url: str) -> dict[bytes, Any]:
    """What is said of each of KINDS by itself."""
    return {image: unplaced(blocking(url, image)[0]) for image in KINDS}


def blocking(url: str, images: Any, **options: Any) -> Predictions:
    with Client(url) as client:
        return client.predict(images, **options)


def concurrent(url: str, images: Any, **options: Any) -> Predictions:
    async def ask() -> Predictions:
        async with AsyncClient(url, at_once=3) as client:
            return await client.predict(images, **options)

    return asyncio.run(ask())


BOTH = pytest.mark.parametrize("predict", [blocking, concurrent])


def unplaced(answer: Prediction | FailedPrediction) -> tuple[Any, ...]:
    """What is said of an image, be it alone or among others."""
    if isinstance(answer, FailedPrediction):
        return (answer.problem.type, answer.problem.status)
    return (answer.model, answer.single, answer.multi, answer.distribution, answer.image)


@BOTH
def test_image_may_be_a_path_bytes_a_pillow_image_or_an_array(
    predict: Predict, url: str, tmp_path: Path
) -> None:
    picture = halves(RED, GREEN)
    file = tmp_path / "a.png"
    file.write_bytes(encoded(picture))
    forms = (file, str(file), file.read_bytes(), picture, np.asarray(picture))
    found = predict(url, forms)
    assert [each.source for each in found] == [str(file), str(file), None, None, None]
    assert len({str(unplaced(each)) for each in found}) == 1
    for form in forms:
        assert unplaced(predict(url, form).one()) == unplaced(found[0])


@BOTH
def test_answer_is_that_of_the_api(predict: Predict, url: str) -> None:
    found = predict(url, solid(RED)).one()
    assert found.model.name == "tiny"
    assert (found.image.format, found.image.width, found.image.height) == ("PNG", 32, 32)
    assert found.single
    assert found.single.label == found.single.scores[0].label == "red"
    assert found.single.score == pytest.approx(np.e / (np.e + 2), abs=1e-5)
    assert found.multi
    assert found.multi.labels == ("red",)
    assert found.multi.scores[0].threshold == pytest.approx(0.6)
    assert found.distribution
    assert found.distribution.scores[0].label == found.distribution.dominant
    assert found.explanation is None


@BOTH
def test_options_are_passed_on(predict: Predict, url: str) -> None:
    options = {"model": "tiny@1", "outputs": ("single",), "top_k": 1, "coverage": 0.9}
    found = predict(url, solid(RED), explain="heatmap", explain_label="blue", **options).one()
    assert (found.multi, found.distribution) == (None, None)
    assert found.single
    assert len(found.single.scores) == 1
    assert found.single.set
    assert found.single.set.coverage == 0.9
    assert found.explanation
    assert found.explanation.label == "blue"
    assert found.explanation.png.startswith(b"\x89PNG")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_pillow_image_of_any_mode_is_sent(url: str, mode: str) -> None:
    assert blocking(url, noise((40, 30)).convert(mode)).one().image.width == 40


def test_pillow_image_is_turned_as_its_file_would_be(url: str, tmp_path: Path) -> None:
    file = tmp_path / "sideways.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    solid(RED, (40, 30)).save(file, exif=exif)
    with Image.open(file) as picture:
        of_file, of_picture = blocking(url, [file, picture])
    assert isinstance(of_file, Prediction)
    assert isinstance(of_picture, Prediction)
    assert of_file.image.width == of_picture.image.width == 30


def test_array_may_be_grey_or_have_an_alpha_channel(url: str) -> None:
    grey = np.full((20, 30), 255, np.uint8)
    clear = np.zeros((20, 30, 4), np.uint8)  # transparent, and so white
    found = blocking(url, [grey, clear])
    assert unplaced(found[0])[:4] == unplaced(found[1])[:4]


@pytest.mark.parametrize(
    "given",
    [
        7,
        None,
        [solid(), 7],
        np.zeros((4, 4, 3), np.float32),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
    ],
    ids=["number", "none", "among images", "floats", "several", "two channels"],
)
def test_what_is_no_image_is_refused_before_anything_is_sent(url: str, given: Any) -> None:
    with pytest.raises(UnusableImage, match=r"given .*; expected"):
        blocking(url, given)


@BOTH
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(images=some.lists(some.sampled_from(KINDS), max_size=12), size=some.integers(1, 5))
def test_images_have_the_same_answers_alone_and_in_batches(
    predict: Predict, url: str, alone: dict[bytes, Any], images: list[bytes], size: int
) -> None:
    together = predict(url, images, batch_size=size)
    assert list(map(unplaced, together)) == [alone[image] for image in images]


@BOTH
def test_images_that_fail_are_told_in_their_places(
    predict: Predict, url: str, tmp_path: Path
) -> None:
    good, missing = encoded(solid()), tmp_path / "missing.jpg"
    found = predict(url, [good, WORDS, missing, BROKEN, good])
    assert [each.problem.kind for each in found.failed] == [
        *("unsupported-format", "unreadable-file", "broken-image")
    ]
    assert found.failed[1].source == str(missing)
    assert "No such file" in found.failed[1].problem.detail
    assert isinstance(found[0], Prediction)
    assert isinstance(found[4], Prediction)


def test_the_only_image_s_error_is_raised_where_its_answer_is_asked_for(url: str) -> None:
    with pytest.raises(Unsupported, match="not an image of a supported format"):
        blocking(url, WORDS).one()
    with pytest.raises(SentiscopeError, match="cannot be read: No such file"):
        blocking(url, "none.jpg").one()


def test_no_image_has_no_answer(url: str) -> None:
    assert list(blocking(url, [])) == []


@BOTH
def test_limits_of_the_operator_are_found_out(predict: Predict, narrow_url: str) -> None:
    large = encoded(noise((99, 99), seed=1), "BMP")  # 29 KB: two, and not three, fit
    images = [large, *[encoded(solid())] * 5, large, large, encoded(noise((101, 100)))]
    found = predict(narrow_url, [*images, bytes(70_000)])
    assert [each.problem.kind for each in found.failed] == ["image-too-large", "body-too-large"]
    assert len(found) == len(images) + 1
    assert isinstance(found[7], Prediction)
    with pytest.raises(TooLarge):
        predict(narrow_url, bytes(70_000)).one()


@BOTH
def test_what_is_wrong_with_the_request_is_raised(predict: Predict, url: str) -> None:
    with pytest.raises(NotFound, match="none"):
        predict(url, [solid(), WORDS], model="none")
    with pytest.raises(Invalid, match="coverage") as raised:
        predict(url, solid(), coverage=0.3)
    assert raised.value.status == 422
    assert raised.value.errors[0].loc == ("query", "coverage")


def test_images_are_read_when_their_turn_comes(url: str) -> None:
    read = []

    def images() -> Iterator[bytes]:
        for number in range(10):
            read.append(number)
            yield encoded(solid())

    with Client(url) as client:
        answers = client.predict_each(images(), batch_size=2)
        assert read == []
        next(answers)
        assert len(read) == 3  # the third tells that the batch is full


def test_asynchronous_batches_are_bounded_and_left_behind_none(url: str) -> None:
    read = []

    def images() -> Iterator[bytes]:
        for number in range(100):
            read.append(number)
            yield encoded(solid())

    async def take_three() -> None:
        async with AsyncClient(url, at_once=3) as client:
            answers = client.predict_each(images(), batch_size=2)
            for _ in range(3):
                assert isinstance(await anext(answers), Prediction)
            await answers.aclose()
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(take_three())
    assert len(read) <= 2 * (3 + 1) + 1


def test_key_is_the_argument_s_or_the_environment_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENTISCOPE_API_KEY", raising=False)
    key = create_key(tmp_path / "keys.json", "me", frozenset({Scope.PREDICT}))
    with tiny_service(tmp_path) as url:
        with pytest.raises(KeyMissing):
            blocking(url, solid())
        with Client(url, key=key) as client:
            assert client.predict(solid()).one().model.name == "tiny"
            with pytest.raises(Forbidden):
                client.models.promote("tiny", "1")
        monkeypatch.setenv("SENTISCOPE_API_KEY", key)
        monkeypatch.setenv("SENTISCOPE_URL", f"{url}/")
        with Client() as client:
            assert client.url == url
            assert client.predict(solid()).one().model.name == "tiny"


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("given", ["localhost:8000", "ftp://a", "http://", "http://a:port"])
def test_address_that_is_none_is_told_so(
    client: type[Client] | type[AsyncClient], given: str
) -> None:
    with pytest.raises(Unreachable, match=r"given the address .*; expected one such as http://"):
        client(given)


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("given", ["sesam\N{HORIZONTAL ELLIPSIS}", "two\nlines"])
def test_key_that_cannot_be_sent_is_not_printed(
    client: type[Client] | type[AsyncClient], given: str
) -> None:
    with pytest.raises(UnusableKey) as raised:
        client("http://127.0.0.1:9", key=given)
    assert given not in str(raised.value)


def test_every_error_of_the_service_has_its_exception() -> None:
    def kinds(error: type[RequestError]) -> set[type[RequestError]]:
        return {error}.union(*(kinds(each) for each in error.__subclasses__()))

    statuses = {int(each.status) for each in kinds(RequestError) - {RequestError}}
    assert statuses - {416} <= set(map(int, BY_STATUS))
