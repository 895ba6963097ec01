"""`POST /v1/predictions`."""

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response

from app import openapi, options, problems
from app.errors import Fault, MalformedRequest, RequestError
from app.inference import Done
from app.options import Options
from app.prediction import Outcome, predict
from app.reading import Limits, read_uploads
from app.schemas import FailedPrediction, ModelVersion, Prediction, Predictions
from app.settings import Settings
from app.state import TheService
from models.runtime import Session

router = APIRouter(prefix="/v1", tags=["predictions"])
T = TypeVar("T")


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
    session = await service.model(query.model)
    plan = options.plan(query, session.manifest)
    service.queue.check_room()
    settings = service.settings
    uploads = await read_uploads(request, _limits(settings))
    jobs = [
        partial(predict, upload, session, plan=plan, max_pixels=settings.max_pixels)
        for upload in uploads
    ]
    work = service.queue.run(jobs, deadline_s=settings.deadline_s)
    done = await _unless_gone(request, work)
    _raise_if_all_failed([each.value for each in done])
    return _response(request, session, done)


def model_version(session: Session) -> ModelVersion:
    """The exact model behind a session."""
    manifest = session.manifest
    digest = f"sha256:{session.bundle.digest}"
    return ModelVersion(name=manifest.name, version=manifest.version, digest=digest)


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_body_bytes=settings.max_body_bytes,
        max_images=settings.max_images,
        timeout_s=settings.read_timeout_s,
    )


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is dropped when the client closes the connection."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise MalformedRequest("the connection was closed before the answer was ready")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _raise_if_all_failed(outcomes: Sequence[Outcome]) -> None:
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
        )
    raise first


def _response(request: Request, session: Session, done: Sequence[Done[Outcome]]) -> Response:
    places = [
        _in_place(each.value.answer, instance=f"{request.url.path}#/predictions/{place}")
        for place, each in enumerate(done)
    ]
    found = Predictions(model=model_version(session), predictions=places)
    return Response(
        found.model_dump_json(exclude_unset=True),
        media_type="application/json",
        headers={"Server-Timing": _server_timing(done)},
    )


def _in_place(answer: Prediction | RequestError, *, instance: str) -> Prediction | FailedPrediction:
    if isinstance(answer, RequestError):
        return FailedPrediction(error=problems.of_error(answer, instance=instance))
    return answer


def _server_timing(done: Sequence[Done[Outcome]]) -> str:
    """Milliseconds; of several images the work is summed, of the queue it is the longest wait."""
    seconds = {
        "decode": sum(each.value.decode_s for each in done),
        "queue": max(each.waited_s for each in done),
        "inference": sum(each.value.inference_s for each in done),
    }
    return ", ".join(f"{name};dur={1000 * value:.2f}" for name, value in seconds.items())
