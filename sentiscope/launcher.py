"""All of Sentiscope on this machine, kept running until told to end: Redis, API and worker."""

import fcntl
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app import binding
from app.greeting import first_request, who_may
from app.keys import KeyRing, key_ring
from app.settings import Settings
from sentiscope.children import Child, Errand, Program
from sentiscope.output import remark, say
from sentiscope.stop_signals import StopSignals
from worker.embedded import EmbeddedRedis, RedisUnusable
from worker.errors import JobError
from worker.settings import JobSettings

DEMO = ("demo-emotions", "demo-pairs", "demo-scenes")
"""Data sets that the demo configurations train on."""

_POLL_S = 0.1
_REDIS_POLL_S = 0.02
_API_STOP_S, _REDIS_STOP_S = 6.0, 5.0
_WORKER_EXTRA_S = 2.0
"""What a worker may take beyond the time its training has for a checkpoint."""


class AlreadyRunning(JobError):
    """Another launcher works in this folder."""


@dataclass(frozen=True, slots=True)
class Launcher:
    """What is started, and the folder of Redis's data and of the logs."""

    settings: Settings
    jobs: JobSettings
    folder: Path
    stop: StopSignals

    def run(self) -> None:
        """Until a signal; raises BindingRefused, KeysUnreadable and JobError if it cannot start."""
        keys = key_ring(self.settings.keys_file)
        with ExitStack() as held:
            held.enter_context(_alone_in(self.folder))
            bound = held.enter_context(
                closing(binding.bind(self.settings.host, self.settings.port, keys=keys))
            )
            children: list[Child] = []
            try:
                url = self.jobs.redis_url or self._start_redis(children, held)
                if not self.stop.asked:
                    self._start_rest(children, bound, redis_url=url)
                    self._keep(children, binding.url(bound), keys)
            finally:
                self._end(children)

    def _start_redis(self, children: list[Child], held: ExitStack) -> str:
        """Start the embedded Redis and wait until it has loaded its data; its URL."""
        redis = EmbeddedRedis.in_folder(self.folder / "redis")
        lock = held.enter_context(redis.claimed())
        program = Program(
            "Redis",
            redis.command,
            log=redis.log,
            environment=os.environ,
            stop_s=_REDIS_STOP_S,
            descriptors=(lock,),
        )
        child = _add(children, program)
        while not (redis.answers() or self.stop.asked):
            if not child.is_running:
                raise RedisUnusable(f"Redis did not start: {redis.last_words()} ({redis.log})")
            time.sleep(_REDIS_POLL_S)
        return redis.url

    def _start_rest(self, children: list[Child], bound: socket.socket, *, redis_url: str) -> None:
        """Start the API, which inherits the listening socket, and the worker."""
        environment = os.environ | {"SENTISCOPE_REDIS_URL": redis_url}
        api = Program(
            "the API",
            (sys.executable, "-m", "app.main"),
            log=self._log("api"),
            environment=environment | {"SENTISCOPE_LISTEN_FD": str(bound.fileno())},
            stop_s=_API_STOP_S,
            descriptors=(bound.fileno(),),
        )
        worker = Program(
            "the worker",
            _sentiscope("worker"),
            log=self._log("worker"),
            environment=environment,
            stop_s=self.jobs.stop_grace_s + _WORKER_EXTRA_S,
        )
        for program in (api, worker):
            _add(children, program)

    def _keep(self, children: Sequence[Child], url: str, keys: KeyRing | None) -> None:
        """Start again what ends, until told to stop."""
        errands: list[Errand] = []
        readiness: str | None = None
        is_announced = False
        while not self.stop.asked:
            watched: list[Child | Errand] = [*children, *errands]
            for line in filter(None, [each.look() for each in watched]):
                remark(line)
            if readiness is None and (readiness := _readiness(url)):
                errands += self._errands()
            is_idle = not any(errand.is_running for errand in errands)
            if readiness and is_idle and not is_announced:
                is_announced = True
                self._announce(url, readiness, keys)
            time.sleep(_POLL_S)
        for errand in errands:
            errand.kill()

    def _errands(self) -> Iterator[Errand]:
        """The demo data sets in the making, unless they are there."""
        root = self.jobs.datasets_root
        if all((root / name).exists() for name in DEMO):
            return
        say("Painting the demo data sets, at the first start alone ...")
        yield Errand(
            Program(
                "painting the demo data sets",
                _sentiscope("datasets", "demo", "--root", str(root)),
                log=self._log("demo"),
                environment=os.environ,
                stop_s=0,
            )
        )

    def _announce(self, url: str, readiness: str, keys: KeyRing | None) -> None:
        kept = "REDIS_URL" if self.jobs.redis_url else self.folder / "redis"
        key = "" if keys is None else "SENTISCOPE_API_KEY=... "
        say(f"Sentiscope at {url} ({readiness}); {who_may(keys)}.")
        say(f"Jobs are kept in {kept}, logs in {self.folder / 'log'}. Ctrl-C stops everything;")
        say("what is training goes on from its checkpoint at the next start. Try:")
        say(f"  {first_request(url, keys)}")
        submit = "sentiscope jobs submit pipeline --preset demo --watch"
        say(f"  {key}.venv/bin/{submit}{_unless_usual(url)}")

    def _end(self, children: Sequence[Child]) -> None:
        """End the worker first, with a checkpoint, and Redis last."""
        if self.stop.asked and children:
            remark("Stopping; Ctrl-C again hurries.")
        for child in reversed(children):
            child.ask_to_end()
            until = time.monotonic() + child.program.stop_s
            while child.is_running and time.monotonic() < until and not self.stop.hurried:
                time.sleep(_POLL_S)
            child.kill()

    def _log(self, name: str) -> Path:
        return self.folder / "log" / f"{name}.log"


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"Sentiscope is running in {folder.resolve()} already; stop that one first, "
                "or start this one in another folder"
            ) from error
        yield


def _add(children: list[Child], program: Program) -> Child:
    child = Child(program)
    children.append(child)
    child.start()
    return child


def _sentiscope(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "sentiscope", *arguments)


def _readiness(url: str) -> str | None:
    """Which model answers, or why none does; None while the API is starting."""
    try:
        said: Mapping[str, object] = httpx.get(
            f"{url}/health/ready", timeout=0.5, trust_env=False
        ).json()
    except (httpx.HTTPError, ValueError):
        return None
    model = said.get("model")
    if isinstance(model, Mapping):
        return f"model {model['name']}@{model['version']}"
    return f"not ready: {said.get('detail')}"


def _unless_usual(url: str) -> str:
    return "" if url.endswith("://127.0.0.1:8000") else f" --url {url}"
