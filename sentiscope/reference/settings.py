"""Page: every variable of the environment that is read."""

from collections.abc import Iterator
from pathlib import Path

from pydantic_settings import BaseSettings

from app.settings import Settings
from models.registry import SHIPPED
from sentiscope.reference.markdown import code, page, section, table
from sentiscope.reference.program import variables
from sentiscope.reference.schema import Schemas
from worker.settings import JobSettings

_HEADER = ("variable", "may be", "default", "limits", "what")
_ROOT = SHIPPED.parents[1]
_INTRODUCTION = """\
Read once, at start-up, from the environment; a wrong value is refused with its reason before anything is served. Lists are JSON,
folders are relative to where a command is started."""
_OTHERS = (
    (
        "`CUDA_VISIBLE_DEVICES`",
        "GPUs that a worker, a training or a service on cuda sees, by comma; a job's `gpus` counts these",
    ),
    (
        "`ORT_DISABLE_TELEMETRY`",
        "`1` unless it is set: ONNX Runtime reports its use to nobody",
    ),
    (
        "`SENTISCOPE_FENCE`",
        "Token by which a worker tells its training process that the run folder is still its own; set by the worker",
    ),
)
_TRACES = (
    (
        "`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`",
        "Where the API sends traces of requests, over HTTP; none: there are none. Needs the extra `otel`",
    ),
    (
        "`OTEL_EXPORTER_OTLP_PROTOCOL` or `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL`",
        "`http/protobuf` and nothing else",
    ),
    ("`OTEL_SERVICE_NAME`", "Name that the traces are under; `sentiscope` unless it is set"),
    ("`OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER`", "`true`, `none`: no traces after all"),
)


def settings() -> str:
    """The API's, those of jobs, the commands', and what other programs' libraries read."""
    return page(
        "Settings",
        _INTRODUCTION,
        section("The API", table(_HEADER, _rows(Settings))),
        section("Jobs: give the API and every worker the same", table(_HEADER, _rows(JobSettings))),
        section(
            "Commands that speak to a service",
            table(("variable", "instead of", "what"), variables()),
        ),
        section("Traces", table(("variable", "what"), _TRACES)),
        section("Processes", table(("variable", "what"), _OTHERS)),
    )


def _rows(kind: type[BaseSettings]) -> Iterator[tuple[str, ...]]:
    schema = kind.model_json_schema(by_alias=False)
    schemas = Schemas(schema.get("$defs", {}))
    for name, field in kind.model_fields.items():
        found = schema["properties"][name]
        if field.default_factory:
            default = "cores"
        elif isinstance(field.default, Path) and field.default.is_absolute():
            default = code(field.default.relative_to(_ROOT))
        else:
            default = schemas.default(found)
        yield (
            _names(name),
            schemas.kind(found),
            default,
            schemas.limits(found),
            str(field.description),
        )


def _names(field: str) -> str:
    own = f"`SENTISCOPE_{field.upper()}`"
    other = {"port": "`PORT`", "redis_url": "`REDIS_URL`"}.get(field)
    return f"{own} or {other}" if other else own
