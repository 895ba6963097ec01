"""Asking for predictions: images in batches, and what becomes of each image of a batch."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Literal, TypedDict

import httpx

from sentiscope.service.errors import Refused, Unintelligible
from sentiscope.service.images import Given, Link, Upload, uploads
from sentiscope.service.prediction import Answer, FailedPrediction, ModelVersion, Prediction
from sentiscope.service.problem import Problem
from sentiscope.service.talk import Request, Talk
from sentiscope.service.value import Value, read, understood

BATCH_SIZE = 32
"""Images of one request; a service takes 64 unless its operator says otherwise."""

_BATCH_BYTES = 30 * 1024 * 1024
"""A service takes 32 MiB, unless its operator says otherwise."""

_BYTES = "application/octet-stream"
_IMAGE_KINDS = frozenset({"broken-image", "empty-image", "image-too-large", "unsupported-format"})
"""Problems of an image, and not of the request that brings it."""

_LINK_KINDS = _IMAGE_KINDS | {"image-not-fetched", "malformed-request", "url-refused"}
"""Those of an image that is fetched."""


class Options(TypedDict, total=False):
    """What is asked of the images; `docs/api.md` describes each."""

    model: str | None
    outputs: Sequence[str] | None
    top_k: int | None
    coverage: float | None
    explain: Literal["none", "heatmap"]
    explain_output: str | None
    explain_label: str | None


class _Found(Value):
    model: ModelVersion
    predictions: tuple[dict[str, Any], ...]


Sendable = Upload | Link
Batch = tuple[Sendable | FailedPrediction, ...]


def batches(images: Given | Iterable[Given], *, size: int) -> Iterator[Batch]:
    """The images in batches that a service takes, read no sooner than needed."""
    batch: list[Sendable | FailedPrediction] = []
    held = 0
    for upload in uploads(images):
        length = len(upload.content) if isinstance(upload, Upload) else 0
        if batch and (len(batch) >= size or held + length > _BATCH_BYTES):
            yield tuple(batch)
            batch, held = [], 0
        batch.append(upload)
        held += length
    if batch:
        yield tuple(batch)


def answered(batch: Batch, options: Options) -> Talk[tuple[Answer, ...]]:
    """An answer for each image, in order; raises Refused where it is not the images' fault."""
    sent = yield from _asked([each for each in batch if isinstance(each, Upload)], options)
    fetched = yield from _asked([each for each in batch if isinstance(each, Link)], options)
    answers = {Upload: iter(sent), Link: iter(fetched)}
    return tuple(
        each if isinstance(each, FailedPrediction) else next(answers[type(each)]) for each in batch
    )


def _asked(images: Sequence[Sendable], options: Options) -> Talk[tuple[Answer, ...]]:
    if not images:
        return ()
    try:
        response = yield _request(images, options)
    except Refused as refused:
        parts = _parts(images, refused.problem)
        if not parts:
            raise
        if len(images) == 1:
            return (FailedPrediction(source=images[0].source, problem=refused.problem),)
        found: list[Answer] = []
        for part in parts:
            found += yield from _asked(part, options)
        return tuple(found)
    return _answers(images, response)


def _parts(images: Sequence[Sendable], problem: Problem) -> list[Sequence[Sendable]]:
    """What to ask in its place, where a request is refused on account of its images.

    Where none could be answered, only the first's error is told whole: each is asked for alone.
    """
    if problem.kind in (_LINK_KINDS if isinstance(images[0], Link) else _IMAGE_KINDS):
        return [[image] for image in images]
    if problem.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        half = (len(images) + 1) // 2
        return [images[:half], images[half:]]
    return []


def _request(images: Sequence[Sendable], options: Options) -> Request:
    """Of images that all are sent, or all fetched; asking twice does no harm."""
    request = Request("POST", "/v1/predictions", query=query(options), repeatable=True)
    uploads = [each for each in images if isinstance(each, Upload)]
    if not uploads:
        return replace(request, json={"images": [{"url": each.source} for each in images]})
    if len(uploads) == 1:
        headers = {"Content-Type": _BYTES}
        return replace(request, headers=headers, content=uploads[0].content)
    parts = [("image", (f"{place}", image.content, _BYTES)) for place, image in enumerate(uploads)]
    return replace(request, parts=parts)


def query(options: Options) -> dict[str, str | int | float]:
    """The options as a request has them; those that are None are left to the service."""
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    outputs = given.get("outputs")
    if outputs is not None and not isinstance(outputs, str):
        given["outputs"] = ",".join(outputs)
    return given


def _answers(images: Sequence[Sendable], response: httpx.Response) -> tuple[Answer, ...]:
    found = read(response, _Found)
    if len(found.predictions) != len(images):
        raise Unintelligible(
            f"{len(images)} images were sent, {len(found.predictions)} answers came"
        )
    with understood(response):
        return tuple(
            _answer(image.source, document, found.model)
            for image, document in zip(images, found.predictions, strict=True)
        )


def _answer(source: str | None, document: dict[str, Any], model: ModelVersion) -> Answer:
    if "error" in document:
        problem = Problem.model_validate(document["error"])
        return FailedPrediction(source=source, problem=problem)
    return Prediction.model_validate({**document, "source": source, "model": model})
