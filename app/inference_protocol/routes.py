"""`/v2`: the Open Inference Protocol, so that the clients of other model servers work unchanged."""

import asyncio
from collections.abc import Sequence
from importlib.metadata import version as version_of
from typing import Any

from fastapi import APIRouter, Request, Response

from app.departure import unless_gone
from app.inference.task import Done
from app.inference_protocol import documents
from app.inference_protocol.answer import Answer
from app.inference_protocol.body import HEADER_LENGTH
from app.inference_protocol.inference import Found, inference
from app.inference_protocol.metadata import model_facts
from app.openapi import json_body
from app.reading import read_bytes
from app.routes.predictions import limits
from app.state import Service, TheService
from app.timing import count, server_timing
from app.tracing import trace_stages

router = APIRouter(prefix="/v2", tags=["open inference protocol"])
_EXTENSIONS = ["binary_tensor_data", "classification"]
_SMALL = 64 * 1024
"""A body of fewer bytes is parsed at once, a larger one in a thread."""

_MODEL, _VERSION = "/models/{name}", "/models/{name}/versions/{version}"


def _faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": documents.Fault} for status in statuses}


_INFER: dict[str, Any] = {
    "response_model": documents.InferenceResponse,
    "responses": _faults(400, 404, 408, 413, 415, 422, 429, 503, 504),
    "openapi_extra": {"requestBody": json_body(documents.InferenceRequest)},
}


@router.get("")
async def server() -> documents.ServerFacts:
    """What this server is, and which extensions it has."""
    version = version_of("sentiscope")
    return documents.ServerFacts(name="sentiscope", version=version, extensions=_EXTENSIONS)


@router.get("/health/live")
async def live() -> documents.Live:
    """The process answers."""
    return documents.Live()


@router.get("/health/ready", responses=_faults(503))
async def ready(service: TheService) -> documents.Ready:
    """The service's own model is loaded."""
    await service.ready()
    return documents.Ready()


@router.get(_MODEL, responses=_faults(404, 422, 503))
async def model(name: str, service: TheService) -> documents.ModelFacts:
    """What the version in production of a model takes and gives."""
    return await _facts(service, name)


@router.get(_VERSION, responses=_faults(404, 422, 503))
async def model_version(name: str, version: str, service: TheService) -> documents.ModelFacts:
    """What a version of a model takes and gives; an alias may stand for the version."""
    return await _facts(service, f"{name}@{version}")


@router.get(_MODEL + "/ready", responses=_faults(404, 422, 503))
async def model_ready(name: str, service: TheService) -> documents.ModelReady:
    """A model's version in production is loaded; it is loaded now, if need be."""
    await service.model(name)
    return documents.ModelReady(name=name)


@router.get(_VERSION + "/ready", responses=_faults(404, 422, 503))
async def version_ready(name: str, version: str, service: TheService) -> documents.ModelReady:
    """A version of a model is loaded; it is loaded now, if need be."""
    await service.model(f"{name}@{version}")
    return documents.ModelReady(name=name)


@router.post(_MODEL + "/infer", **_INFER)
async def infer(name: str, request: Request, service: TheService) -> Response:
    """The scores and maps of images, by a model's version in production."""
    return await _infer(request, service, reference=name)


@router.post(_VERSION + "/infer", **_INFER)
async def infer_version(name: str, version: str, request: Request, service: TheService) -> Response:
    """The scores and maps of images, by a version of a model."""
    return await _infer(request, service, reference=f"{name}@{version}")


async def _facts(service: Service, reference: str) -> documents.ModelFacts:
    found = (await service.model(reference)).manifest
    return model_facts(found, versions=service.models.registry.versions(found.name))


async def _infer(request: Request, service: Service, *, reference: str) -> Response:
    settings = service.settings
    loaded = await service.model_in_time(reference)
    service.queue.check_room()
    content = await read_bytes(request, limits(settings))
    given = (content, request.headers.get(HEADER_LENGTH), loaded)
    if len(content) < _SMALL:
        asked = inference(*given, most=settings.max_images)
    else:
        asked = await asyncio.to_thread(inference, *given, most=settings.max_images)
    work = service.queue.run(asked.jobs(service.decoder), deadline_s=settings.deadline_s)
    done = await unless_gone(request, work)
    trace_stages(service.tracer, done)
    answer = asked.answer([each.value for each in done])
    count(done, service.metrics)
    return _response(answer, done)


def _response(answer: Answer, done: Sequence[Done[Found]]) -> Response:
    header = answer.header()
    headers = {"Server-Timing": server_timing(done)}
    media_type = "application/json"
    if answer.raw:
        media_type = "application/octet-stream"
        headers[HEADER_LENGTH] = str(len(header))
    return Response(b"".join((header, *answer.raw)), media_type=media_type, headers=headers)
