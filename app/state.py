"""What lives as long as the service: settings, models, queue."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NotRequired, TypedDict

from fastapi import Depends, Request
from opentelemetry.trace import Tracer

from app import measures
from app.decoding import Decoder
from app.errors import DeadlinePassed, InferenceLost, ModelNotServable, NotReady
from app.inference.queue import InferenceQueue
from app.inference.task import Hands
from app.links import Links
from app.loaded_model import LoadedModel
from app.metrics import Metrics
from app.model_cache import ModelCache, OpenModel
from app.problems import of_model_error
from app.settings import Settings
from models.errors import ModelError
from models.registry import Registry, UnknownModel

if TYPE_CHECKING:
    from app.jobs_state import Jobs


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that routes work with."""

    settings: Settings
    models: ModelCache
    queue: InferenceQueue
    decoder: Decoder
    metrics: Metrics
    links: Links
    tracer: Tracer

    async def model(self, reference: str | None) -> LoadedModel:
        """The model of that name, or the service's own; raises NotReady when that is missing."""
        wanted = reference or self.settings.model
        try:
            return await self.models.model(wanted)
        except UnknownModel as error:
            if wanted != self.settings.model:
                raise
            raise NotReady(f"the service's model {wanted!r} is missing: {error}") from error

    async def model_in_time(self, reference: str | None) -> LoadedModel:
        """The same, waited for no longer than an image is; raises DeadlinePassed."""
        try:
            async with asyncio.timeout(self.settings.deadline_s):
                return await self.model(reference)
        except TimeoutError as error:
            raise DeadlinePassed(
                f"the model was not loaded after {self.settings.deadline_s:g} s; it goes on loading"
            ) from error

    async def ready(self) -> LoadedModel:
        """The service's own model, loaded; raises NotReady with what is missing."""
        if not self.queue.is_served:
            raise NotReady("the processes that run images ended, and are being started anew")
        try:
            return await self.model(None)
        except ModelError as error:
            reason = of_model_error(error).detail
            raise NotReady(f"the service's model cannot be used: {reason}") from error
        except (InferenceLost, ModelNotServable) as error:
            raise NotReady(f"the service's model is not loaded: {error.detail}") from error


class State(TypedDict):
    """What the lifespan gives to each request."""

    service: Service
    jobs: "NotRequired[Jobs]"
    """Only where jobs are enabled."""


@dataclass(frozen=True, slots=True)
class Device:
    """What runs images, and how models reach it."""

    hands: Hands
    open_model: OpenModel


def open_service(
    settings: Settings, device: Device, metrics: Metrics, links: Links, tracer: Tracer
) -> Service:
    """A service that has loaded no model yet; close its queue in the end."""
    registry = Registry(settings.models_root, settings.shipped_root)
    models = ModelCache(registry, device.open_model, budget_bytes=settings.models_memory_bytes)
    queue = InferenceQueue(device.hands, capacity=settings.queue_size)
    decoder = Decoder(max_pixels=settings.max_pixels, at_once=settings.workers)
    metrics.gauge(measures.QUEUE_IMAGES, lambda: {(): queue.held})
    metrics.gauge(measures.QUEUE_AGE, lambda: {(): queue.age_s()})
    metrics.gauge(measures.MODEL_LOADED, lambda: {_exact(model): 1.0 for model in models.loaded})
    return Service(settings, models, queue, decoder, metrics, links, tracer)


def _exact(model: LoadedModel) -> tuple[str, ...]:
    return model.manifest.name, model.manifest.version, model.precision, model.provider


async def _service(request: Request) -> Service:  # a plain function would take a thread
    service: Service = request.state.service
    return service


TheService = Annotated[Service, Depends(_service)]
