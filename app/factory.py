"""The service as an ASGI application."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from opentelemetry.trace import Tracer, TracerProvider

from app import decoding, measures, openapi, problems, tracing
from app.errors import NotReady
from app.express import Express
from app.guard import Guard
from app.inference.nursery import Nursery
from app.inference.processes import ProcessHands
from app.inference.threads import ThreadHands
from app.inference_protocol import routes as inference_protocol
from app.keys import key_ring
from app.links import Links, NoLinks
from app.loaded_model import opener
from app.methods import HeadAsGet
from app.metrics import Metrics
from app.observation import Observed
from app.routes import docs, health, metrics, models, page, predictions
from app.settings import Settings
from app.state import Device, Service, State, open_service
from worker.settings import JobSettings

_log = logging.getLogger(__name__)
_DESCRIPTION = (
    "Tells what an image makes people feel. Errors are `application/problem+json` (RFC 9457)."
)
_SUMMARY = "Image sentiment analysis"

Announce = Callable[[str], None]


def create_app(
    settings: Settings,
    jobs: JobSettings | None = None,
    *,
    announce: Announce = _log.info,
    leaving: Callable[[], bool] = lambda: False,
    nursery: Nursery | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """The service; once it runs, `announce` is told which model answers, or why none does.

    Jobs are a part of it where `jobs` names a Redis. `leaving` says whether the server is about
    to stop, so that streams without an end do not keep it. Images run in processes of the
    `nursery`, else in threads. With a `tracer_provider` requests are traced. Raises KeysUnreadable.
    """
    counted, tracer = Metrics(), tracing.tracer(tracer_provider)
    if jobs is not None and jobs.redis_url is None:
        jobs = None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            device = await stack.enter_async_context(_device(settings, counted, nursery))
            state = State(service=await _opened(settings, device, counted, tracer, stack))
            if jobs is not None:
                from app.jobs_state import opened

                entered = opened(jobs, counted, leaving=leaving)
                state["jobs"] = await stack.enter_async_context(entered)
            announce(await _readiness(state["service"]))
            yield state

    app = FastAPI(
        title="Sentiscope",
        summary=_SUMMARY,
        description=_DESCRIPTION,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=tracing.telemetry(tracer_provider),
    )
    problems.add_handlers(app)
    _add_middleware(app, settings, counted)
    for part in (predictions, models, inference_protocol, health, metrics, page, docs):
        app.include_router(part.router)
    if jobs is not None:
        _add_jobs(app)
    return app


def _add_middleware(app: FastAPI, settings: Settings, counted: Metrics) -> None:
    """What each request passes through, the innermost first; keys are described too."""
    keys = key_ring(settings.keys_file)
    if keys is not None:
        openapi.demand_keys(app)
    app.add_middleware(problems.Unforeseen)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Express, route=predictions.route())
    app.add_middleware(Guard, keys=keys, host_names=settings.host_names)
    app.add_middleware(Observed, metrics=counted)


def _add_jobs(app: FastAPI) -> None:
    """Imported here alone: serving without jobs needs neither redis nor celery."""
    from app import dataset_problems, job_problems
    from app.routes import artifacts, datasets, job_events, job_output, jobs, presets

    job_problems.add_handlers(app)
    dataset_problems.add_handlers(app)
    for part in (jobs, job_events, job_output, artifacts, presets, datasets):
        app.include_router(part.router)


async def _opened(
    settings: Settings, device: Device, metrics: Metrics, tracer: Tracer, stack: AsyncExitStack
) -> Service:
    """The service, its models followed; `stack` closes it."""
    links = await stack.enter_async_context(_links(settings, metrics))
    service = open_service(settings, device, metrics, links, tracer)
    stack.callback(service.queue.close)
    await stack.enter_async_context(service.models.following())
    return service


@asynccontextmanager
async def _device(
    settings: Settings, metrics: Metrics, nursery: Nursery | None
) -> AsyncIterator[Device]:
    """What runs images."""
    if nursery is None:
        decoding.prepare()
        for measure in (measures.PROCESSES, measures.PROCESSES_LOST):
            metrics.gauge(measure, dict)
        yield Device(ThreadHands(settings.hands), opener(settings))
        return
    async with ProcessHands.opened(settings, nursery.process) as hands:
        metrics.gauge(measures.PROCESSES, lambda: {(): hands.alive})
        metrics.gauge(measures.PROCESSES_LOST, lambda: {(): hands.lost})
        yield Device(hands, hands.open_model)


@asynccontextmanager
async def _links(settings: Settings, metrics: Metrics) -> AsyncIterator[Links]:
    """What fetches images; imported where it is wanted, as it takes a fifth of a second."""
    if not settings.url_rules:
        yield NoLinks()
        return
    from app.fetching import opened

    async with opened(settings, metrics.stages["fetch"].observe) as fetcher:
        yield fetcher


async def _readiness(service: Service) -> str:
    try:
        model = await service.ready()
    except NotReady as error:
        return f"not ready: {error.detail}"
    return f"model {model.bundle.label}"
