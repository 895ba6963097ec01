"""What commands that speak to a service share: how it is named, asked, and how jobs are watched."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from sentiscope.output import INTERRUPTED, fail, remark, say, told
from sentiscope.service_defaults import PATIENCE_S, URL, WATCH_PATIENCE_S

if TYPE_CHECKING:
    from sentiscope.client import Client

UrlOption = Annotated[
    str, typer.Option("--url", envvar="SENTISCOPE_URL", help="Address of the service.")
]
KeyOption = Annotated[
    str | None, typer.Option("--key", envvar="SENTISCOPE_API_KEY", help="API key, if it needs one.")
]
ChosenUrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="SENTISCOPE_URL", help="Address of a service; none: this machine."
    ),
]
_ATTEMPTS = 1000
"""The patience ends first."""


@contextmanager
def service(url: str, key: str | None, *, patience_s: float = PATIENCE_S) -> "Iterator[Client]":
    """The service; what it refuses ends the command with the reason."""
    from sentiscope.client import Client, Retries, SentiscopeError

    retries = Retries(attempts=_ATTEMPTS, patience_s=patience_s)
    with told(SentiscopeError), Client(url, key=key, retries=retries) as client:
        yield client


def see_through(job_id: str, url: str, key: str | None) -> None:
    """Show a job to its end, or until it is paused; ends with status 1 unless it succeeded.

    A service that is away is waited for longer once it has answered.
    """
    from sentiscope.job_views import fitting_view
    from sentiscope.job_words import ending
    from sentiscope.watching import watch

    with service(url, key) as client:
        client.jobs.get(job_id)
    with service(url, key, patience_s=WATCH_PATIENCE_S) as client:
        try:
            with fitting_view() as view:
                job = watch(client, job_id, view)
        except KeyboardInterrupt:
            at = "" if url == URL else f" --url {url}"
            remark(f"no longer watching; the job goes on: sentiscope jobs watch {job_id}{at}")
            raise typer.Exit(INTERRUPTED) from None
    if job.status != "succeeded":
        fail(ending(job))
    say(ending(job))
