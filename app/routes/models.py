"""`/v1/models`: what can answer, and which version an alias means."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse

from app import openapi, problems
from app.reading import Limits, read_json
from app.schemas import AliasTarget, ModelList, ModelManifest, ModelRecord
from app.state import TheService
from models.errors import ModelError
from models.manifest import ALIAS_PATTERN
from models.registry import Registry

router = APIRouter(prefix="/v1/models", tags=["models"])
Alias = Annotated[str, Path(pattern=ALIAS_PATTERN, examples=["production"])]
_VERSION = "/{name}/versions/{version}"
_TARGET_BYTES = 4096


@router.get("", response_model_exclude_unset=True)
def list_models(service: TheService) -> ModelList:
    """All models with their versions and aliases; of a damaged one, what is wrong."""
    registry = service.models.registry
    items = [_record_or_fault(registry, name) for name in registry.names()]
    return ModelList(items=items, next_cursor=None)


@router.get("/{name}", response_model_exclude_unset=True, responses=openapi.problems(404, 422, 503))
def show_model(name: str, service: TheService) -> ModelRecord:
    """A model's versions and aliases."""
    return _record(service.models.registry, name)


@router.get(_VERSION, responses=openapi.problems(404, 422, 503))
async def show_version(name: str, version: str, service: TheService) -> ModelManifest:
    """A version's manifest: outputs with label order, pre-processing, metrics, lineage."""
    bundle = await service.models.bundle(name, version)
    return ModelManifest(**dict(bundle.manifest), digest=f"sha256:{bundle.digest}")


@router.get(
    _VERSION + "/card",
    response_class=PlainTextResponse,
    responses=openapi.problems(404, 422, 503) | openapi.MARKDOWN,
)
async def show_card(name: str, version: str, service: TheService) -> Response:
    """A version's model card, Markdown."""
    bundle = await service.models.bundle(name, version)
    return Response(bundle.card(), media_type="text/markdown")


@router.put(
    "/{name}/aliases/{alias}",
    response_model_exclude_unset=True,
    responses=openapi.problems(400, 404, 413, 422, 503),
    openapi_extra={"requestBody": openapi.json_body(AliasTarget)},
)
async def move_alias(name: str, alias: Alias, request: Request, service: TheService) -> ModelRecord:
    """Point an alias to a version, for all requests from now on; those in flight finish on theirs.

    The version is loaded first: one that cannot run is refused, and the alias stays.
    """
    limits = Limits(
        max_body_bytes=_TARGET_BYTES, max_images=0, timeout_s=service.settings.read_timeout_s
    )
    target = await read_json(request, AliasTarget, limits=limits)
    await service.models.point(name, alias, version=target.version)
    return _record(service.models.registry, name)


@router.delete(_VERSION, status_code=204, responses=openapi.problems(403, 404, 409, 422))
async def delete_version(name: str, version: str, service: TheService) -> None:
    """Delete a version made here that no alias points to."""
    await service.models.delete(name, version)


def _record(registry: Registry, name: str) -> ModelRecord:
    return ModelRecord(
        name=name, versions=list(registry.versions(name)), aliases=registry.aliases(name)
    )


def _record_or_fault(registry: Registry, name: str) -> ModelRecord:
    try:
        return _record(registry, name)
    except ModelError as error:
        fault = problems.of_model_error(error).detail
        return ModelRecord(name=name, versions=[], aliases={}, fault=fault)
