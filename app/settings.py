"""What an operator can set, through the environment; read once, in `main`."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.url_rules import UrlRule, rules
from models.registry import SHIPPED
from models.runtime import Provider
from models.selection import Choice

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
MIB = 1024 * 1024
_PILLOW_LIMIT = 178_956_970
"""Above this many pixels Pillow refuses to open a file at all."""


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Executor(StrEnum):
    """Where images are decoded and run."""

    AUTO = "auto"
    """Processes on the CPU, threads on a GPU, whose batches are made of everybody's images."""

    PROCESSES = "processes"
    THREADS = "threads"


class Settings(BaseSettings):
    """Settings of the service; each is read from the variable SENTISCOPE_ and its name.

    An empty variable is as none.
    """

    model_config = SettingsConfigDict(
        env_prefix="SENTISCOPE_",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        validate_by_name=True,
    )

    host: str = Field("127.0.0.1", description="Address to listen on; without API keys loopback")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8000,
        validation_alias=AliasChoices("SENTISCOPE_PORT", "PORT"),
        description="Port to listen on, 0: any free one; PORT is read too",
    )
    listen_fd: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="Descriptor of a listening socket inherited from the starting process; "
        "none: host and port",
    )
    keys_file: Path = Field(
        Path("var/keys.json"),
        description="File of API keys (`sentiscope keys create`); where it is, keys are demanded",
    )
    host_names: tuple[str, ...] = Field(
        LOOPBACK_NAMES,
        description="Names (a JSON list) in a request's Host that are answered without API keys",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="text: warnings and errors; json: a line a request too, on stderr"
    )
    models_root: Path = Field(
        Path("var/models"), description="Folder of the models and aliases made here"
    )
    shipped_root: Path = Field(SHIPPED, description="Folder of the models that came with the code")
    model: str = Field(
        "default", min_length=1, description="Model that answers when a request names none"
    )
    models_memory_bytes: Annotated[int, Field(ge=1)] = Field(
        default_factory=lambda: MIB * max(1024, 256 * usable_cores()),
        description="Memory of loaded models, in all processes together, before the one not used "
        "for longest is unloaded; one always stays. Default: 256 MiB a core, at least 1 GiB",
    )
    precision: Choice = Field(
        Choice.AUTO,
        description="Graph that runs, fp32 or int8 (a bundle without it is refused), or auto: int8 "
        "where a bundle has it and a measurement says that this CPU gains from it",
    )
    provider: Provider = Field(
        Provider.CPU,
        description="Where graphs run, cpu or cuda; there is no silent fallback, without its "
        "device the service does not start",
    )
    batch_size: Annotated[int, Field(ge=1, le=256)] = Field(
        32,
        description="Images of one run on cuda; on the cpu, which gains nothing, each runs alone",
    )
    batch_age_ms: Annotated[float, Field(ge=0)] = Field(
        5.0,
        description="Milliseconds that a busy cuda device lets an image wait for a fuller batch",
    )
    executor: Executor = Field(
        Executor.AUTO,
        description="Where images are decoded and run: processes, one an image in hand, each with "
        "the models in its memory (some 60 MB and the models); threads of the service's own "
        "process (on two cores two thirds of the throughput); auto: processes on the cpu, threads "
        "on cuda",
    )
    workers: Annotated[int, Field(ge=1, le=256)] = Field(
        default_factory=usable_cores,
        description="Images decoded, and on the cpu run, at the same time; default: one a core",
    )
    threads: Annotated[int, Field(ge=0, le=256)] = Field(
        1, description="Threads of one run; 0: one a core (fewer images a second, lower latency)"
    )
    queue_size: Annotated[int, Field(ge=1)] = Field(
        256, description="Images waiting or running before the answer is 429; at least max_images"
    )
    deadline_s: Annotated[float, Field(gt=0)] = Field(
        30.0, description="Seconds from the whole body to the answer before it is 504"
    )
    drain_s: Annotated[int, Field(ge=0)] = Field(
        10, description="Seconds that requests in flight have to end once the service is stopped"
    )
    read_timeout_s: Annotated[float, Field(gt=0)] = Field(
        60.0, description="Seconds a client may take to send its request before it is 408"
    )
    max_body_bytes: Annotated[int, Field(ge=1)] = Field(
        32 * MIB, description="Bytes of one request's body before it is 413"
    )
    max_images: Annotated[int, Field(ge=1)] = Field(
        64, description="Images of one request before it is 413"
    )
    max_pixels: Annotated[int, Field(ge=1, le=_PILLOW_LIMIT)] = Field(
        50_000_000, description="Pixels of one image, width times height, before it is 413"
    )
    url_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts (a JSON list) that images may be fetched from by their address: "
        "example.org, *.example.org (all names below it), https://example.org:8443, "
        "http://example.org; https where none is said. Their addresses have to be public",
    )
    url_private_hosts: tuple[str, ...] = Field(
        (),
        description="Such hosts whose addresses may also be of a private network or of this "
        "machine; whoever may ask for predictions can then reach them through this service",
    )
    url_timeout_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="Seconds to fetch one image; deadline_s counts on"
    )
    url_fetches: Annotated[int, Field(ge=1, le=256)] = Field(
        8, description="Images fetched at the same time from one entry of those lists"
    )

    @property
    def url_rules(self) -> tuple[UrlRule, ...]:
        """Where images may be fetched from."""
        return rules(self.url_hosts, self.url_private_hosts)

    @property
    def in_processes(self) -> bool:
        """Whether images are run in processes of their own."""
        if self.executor is Executor.AUTO:
            return self.provider is Provider.CPU and hasattr(os, "fork")
        return self.executor is Executor.PROCESSES

    @property
    def hands(self) -> int:
        """Images in hand at once: while a device runs one batch, the next is made ready."""
        ahead = 0 if self.provider is Provider.CPU else 2 * self.batch_size
        return self.workers + ahead

    @field_validator("url_hosts", "url_private_hosts")
    @classmethod
    def _entries_are_hosts(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        rules(entries, ())
        return entries

    @model_validator(mode="after")
    def _batches_have_one_process(self) -> Self:
        if self.executor is Executor.PROCESSES and self.provider is not Provider.CPU:
            raise ValueError("executor 'processes' is for the cpu; a cuda device needs 'threads'")
        return self

    @model_validator(mode="after")
    def _one_request_fits_the_queue(self) -> Self:
        if self.queue_size < self.max_images:
            raise ValueError(
                f"queue_size {self.queue_size} is less than max_images {self.max_images}: "
                "the largest request could never be answered"
            )
        return self
