"""`POST /v1/predictions`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute

from app import openapi, options, problems
from app.departure import unless_gone
from app.errors import Fault, RequestError
from app.inference.task import Done
from app.links import resolved
from app.loaded_model import LoadedModel
from app.options import Options
from app.prediction import Outcome, predict_document
from app.reading import Limits, read_uploads
from app.schemas import FailedPrediction, ModelVersion, Predictions
from app.settings import Settings
from app.state import Service, TheService
from app.timing import count, server_timing
from app.tracing import trace_stages
from app.uploads import Link, Upload

router = APIRouter(prefix="/v1", tags=["predictions"])


@router.post(
    "/predictions",
    response_model=Predictions,
    responses=openapi.problems(400, 403, 404, 408, 413, 415, 422, 429, 503, 504)
    | openapi.example(200, openapi.PREDICTIONS),
    openapi_extra={"requestBody": openapi.PREDICTIONS_BODY},
)
async def predict_images(
    request: Request, service: TheService, query: Annotated[Options, Query()]
) -> Response:
    """What one image, or each of several, makes people feel."""
    return await answered(request, service, query)


async def answered(request: Request, service: Service, query: Options) -> Response:
    """The answer to a request that asks for `query`; raises RequestError and ModelError."""
    model = await service.model_in_time(query.model)
    options.plan(query, model.manifest)  # what is wrong is said before the body is read
    images = await read_uploads(request, limits(service.settings))
    found = await unless_gone(request, _found(images, service, model, query))
    trace_stages(service.tracer, found.done, fetch_s=found.fetch_s)
    _raise_if_all_failed([each.value for each in found.done])
    count(found.done, service.metrics)
    return _response(request, model, found)


def route() -> APIRoute:
    """Where images are posted."""
    [found] = (each for each in router.routes if isinstance(each, APIRoute))
    return found


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of each image, and the seconds it took to fetch those that are links."""

    done: Sequence[Done[Outcome[bytes]]]
    fetch_s: float


async def _found(
    images: Sequence[Upload | Link], service: Service, model: LoadedModel, query: Options
) -> _Found:
    """Fetch, decode and run the images; one deadline is for all of it."""
    deadline_s, began = service.settings.deadline_s, time.perf_counter()
    uploads = await resolved(images, service.links, deadline_s=deadline_s)
    fetched = any(isinstance(image, Link) for image in images)
    fetch_s = time.perf_counter() - began if fetched else 0.0
    jobs = [
        partial(predict_document, upload, model, query=query, decoder=service.decoder)
        for upload in uploads
    ]
    done = await service.queue.run(jobs, deadline_s=max(0.0, deadline_s - round(fetch_s, 2)))
    return _Found(done, fetch_s)


def model_version(model: LoadedModel) -> ModelVersion:
    """The exact model that answers, and how it runs."""
    manifest = model.manifest
    return ModelVersion(
        name=manifest.name,
        version=manifest.version,
        digest=f"sha256:{model.bundle.digest}",
        precision=model.precision,
        provider=model.provider,
    )


def limits(settings: Settings) -> Limits:
    """What one request may hold."""
    return Limits(
        max_body_bytes=settings.max_body_bytes,
        max_images=settings.max_images,
        timeout_s=settings.read_timeout_s,
    )


def _raise_if_all_failed(outcomes: Sequence[Outcome[bytes]]) -> None:
    """Raise the first image's error if no image was answered; it lists those of the others."""
    failures = [each.answer for each in outcomes if isinstance(each.answer, RequestError)]
    if len(failures) < len(outcomes):
        return
    first = failures[0]
    if len(failures) > 1:
        faults = [Fault(("images", i), error.detail) for i, error in enumerate(failures)]
        raise type(first)(
            f"none of the {len(failures)} images could be answered; the first: {first.detail}",
            faults=faults,
            headers=first.headers,
        )
    raise first


def _response(request: Request, model: LoadedModel, found: _Found) -> Response:
    """The document of `Predictions`, put together from those of its parts."""
    path: str = request.scope["path"]
    places = [
        _document(each.value.answer, instance=f"{path}#/predictions/{place}")
        for place, each in enumerate(found.done)
    ]
    version = model_version(model).model_dump_json().encode()
    return Response(
        b'{"model":%b,"predictions":[%b]}' % (version, b",".join(places)),
        media_type="application/json",
        headers={"Server-Timing": server_timing(found.done, fetch_s=found.fetch_s)},
    )


def _document(answer: bytes | RequestError, *, instance: str) -> bytes:
    if not isinstance(answer, RequestError):
        return answer
    failed = FailedPrediction(error=problems.of_error(answer, instance=instance))
    return failed.model_dump_json(exclude_unset=True).encode()
