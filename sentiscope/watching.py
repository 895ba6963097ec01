"""Seeing a job through: its events as they come, and where it and its steps stand."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Protocol

from sentiscope.client import Client
from sentiscope.service.errors import SentiscopeError
from sentiscope.service.job import Event, Job

_LOOK_EVERY_S = 1.0
_PIPELINE, _PAUSED = "pipeline", "paused"


class View(Protocol):
    """Where it is shown."""

    def tell(self, event: Event) -> None:
        """The watched job told something."""

    def show(self, job: Job, steps: tuple[Job, ...]) -> None:
        """Where it stands, and a pipeline's steps; about once a second."""


def watch(client: Client, job_id: str, view: View) -> Job:
    """Show a job until it has ended or is paused; its last record. Raises SentiscopeError."""
    news = _News(client, job_id)
    while True:
        for event in news.of_a_while():
            view.tell(event)
        is_over = news.is_over
        job = client.jobs.get(job_id)
        view.show(job, _steps(client, job))
        if is_over or job.status == _PAUSED:
            return job


class _News:
    """The events of a job, listened to by a thread of its own."""

    def __init__(self, client: Client, job_id: str) -> None:
        self._told: queue.Queue[Event | SentiscopeError | None] = queue.Queue()
        self.is_over = False
        threading.Thread(target=self._listen, args=(client, job_id), daemon=True).start()

    def of_a_while(self) -> Iterator[Event]:
        """What comes within the next second; raises SentiscopeError where listening failed."""
        until = time.monotonic() + _LOOK_EVERY_S
        while not self.is_over and (left_s := until - time.monotonic()) > 0:
            try:
                found = self._told.get(timeout=left_s)
            except queue.Empty:
                return
            if isinstance(found, SentiscopeError):
                raise found
            if found is None:
                self.is_over = True
            else:
                yield found

    def _listen(self, client: Client, job_id: str) -> None:
        try:
            for event in client.jobs.handle(job_id).watch():
                self._told.put(event)
        except SentiscopeError as error:
            self._told.put(error)
        except RuntimeError:  # the client was closed: nobody watches any more
            return
        else:
            self._told.put(None)


def _steps(client: Client, job: Job) -> tuple[Job, ...]:
    """Oldest first."""
    if job.kind != _PIPELINE:
        return ()
    return tuple(reversed(tuple(client.jobs.list(parent_id=job.id))))
