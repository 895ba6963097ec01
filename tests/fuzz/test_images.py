"""Thousands of images that are not what they should be: an answer, soon, and in little memory."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest

from app import decoding
from app.errors import RequestError
from tests.app.client import PROBLEM
from tests.fuzz.corpus import Sample, corpus
from tests.fuzz.damage import DAMAGES
from tests.fuzz.scale import EVERY
from tests.fuzz.seeds import seeds
from tests.fuzz.target import MAX_PIXELS, Target
from tests.tiny_bundle import SIDE

CPU_S = 2.0
"""Nothing may take longer; of processor time, as the machine may have other work."""

GROWTH_MIB = 96
"""Less than what the bombs unpack to; more than the largest body and two allowed pictures take."""

Form = tuple[bytes, dict[str, str]]


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return list(corpus())


def _status(content: bytes) -> int:
    """What the answer to an image has to be."""
    try:
        decoding.decode(content, needed=SIDE, max_pixels=MAX_PIXELS)
    except RequestError as error:
        return error.status
    return 200


def _part(content: bytes) -> Form:
    head = (
        '--edge\r\nContent-Disposition: form-data; name="image"; '
        'filename="../../etc/passwd\\0.exe"\r\nContent-Type: text/html\r\n\r\n'
    )
    body = head.encode() + content + b"\r\n--edge--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=edge"}


def _base64(content: bytes) -> Form:
    body = json.dumps({"images": [{"base64": base64.b64encode(content).decode()}]})
    return body.encode(), {"Content-Type": "application/json"}


def _named(kind: str) -> Callable[[bytes], Form]:
    return lambda content: (content, {"Content-Type": kind})


FORMS: Mapping[str, Callable[[bytes], Form]] = {
    "as it is": _named("application/octet-stream"),
    "by a wrong name": _named("image/x-icon"),
    "as a part": _part,
    "in base64": _base64,
}


def _chosen(samples: list[Sample]) -> Iterator[tuple[Sample, str]]:
    """What goes through the service, and in which form."""
    for number, sample in enumerate(samples):
        if sample.is_damage and number % EVERY:
            continue
        fits = len(sample.content) < 1_000_000
        yield sample, list(FORMS)[(number // EVERY) % len(FORMS)] if fits else "as it is"


def test_corpus_has_every_damage_of_every_kind_of_file(samples: list[Sample]) -> None:
    names = {sample.name.rpartition(".")[0] for sample in samples if sample.is_damage}
    assert names == {f"{kind}.{damage}" for kind in seeds() for damage in DAMAGES}
    assert len({sample.content for sample in samples}) > 5000


@pytest.mark.parametrize("kind", seeds())
def test_undamaged_the_images_are_read(kind: str) -> None:
    assert _status(seeds()[kind]) == 200


def test_decoder_reads_or_refuses_every_image_soon(samples: list[Sample]) -> None:
    decoding.prepare()
    for sample in samples:
        began = time.thread_time()
        assert _status(sample.content) in (200, 413, 415, 422), sample.name
        assert time.thread_time() - began < CPU_S, sample.name


@pytest.mark.timeout(1800)
def test_service_answers_every_image_as_the_decoder_says(
    target: Target, samples: list[Sample]
) -> None:
    decoding.prepare()
    began_mib = target.mib("VmRSS")
    with httpx.Client(base_url=target.url, timeout=60) as client:
        for sample, form in _chosen(samples):
            content, headers = FORMS[form](sample.content)
            began = target.cpu_s()
            answer = client.post("/v1/predictions", content=content, headers=headers)
            said = f"{sample.name} {form}: {answer.status_code} {answer.text[:200]}"
            assert target.cpu_s() - began < CPU_S, said
            assert answer.status_code == _status(sample.content), said
            if answer.status_code != 200:
                assert answer.headers["content-type"] == PROBLEM, said
    assert target.mib("VmHWM") - began_mib < GROWTH_MIB
