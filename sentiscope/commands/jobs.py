"""`sentiscope jobs`: the jobs of a running service, over its REST API."""

import json
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiscope.commands.remote import KeyOption, UrlOption, see_through, service
from sentiscope.output import remark, say, told
from sentiscope.service_defaults import URL

if TYPE_CHECKING:
    from sentiscope.client import Job, JobHandle
    from sentiscope.service.jobs import Action

app = typer.Typer(no_args_is_help=True)
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")]
_FOLLOW_EVERY_S = 1.0


@app.command("submit")
def submit(
    what: Annotated[str, typer.Argument(metavar="KIND|FILE", help="A kind of job, or YAML file.")],
    preset: Annotated[
        str | None, typer.Option(help="A shipped configuration, such as demo.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="field.field=value, over file and preset.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPUs that train together.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="See it through.")] = False,
    url: UrlOption = URL,
    key: KeyOption = None,
) -> None:
    """Submit a job; its id is printed."""
    from sentiscope.given_config import BadConfig, read

    with told(BadConfig), service(url, key) as client:
        kind, config = read(what, preset=preset, settings=settings or ())
        job_id = client.jobs.submit(kind, config, name=name, gpus=gpus).id
    say(job_id)
    if watch:
        see_through(job_id, url, key)


@app.command("list")
def list_jobs(
    status: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only those of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    url: UrlOption = URL,
    key: KeyOption = None,
) -> None:
    """The newest jobs, one a line."""
    with service(url, key) as client:
        for job in islice(client.jobs.list(status=status, kind=kind), limit):
            say(_line(job))


@app.command("show")
def show(job: JobArgument, url: UrlOption = URL, key: KeyOption = None) -> None:
    """A job's whole record, as JSON."""
    with service(url, key) as client:
        say(json.dumps(client.jobs.handle(job).record(), indent=2))


@app.command("watch")
def watch(job: JobArgument, url: UrlOption = URL, key: KeyOption = None) -> None:
    """See a job through; Ctrl-C leaves it running. Status 0 only if it succeeds."""
    see_through(job, url, key)


@app.command("cancel")
def cancel(job: JobArgument, url: UrlOption = URL, key: KeyOption = None) -> None:
    """End a job, or a pipeline with all its steps."""
    _act(job, "cancel", url, key)


@app.command("pause")
def pause(job: JobArgument, url: UrlOption = URL, key: KeyOption = None) -> None:
    """Stop a job at a checkpoint."""
    _act(job, "pause", url, key)


@app.command("resume")
def resume(job: JobArgument, url: UrlOption = URL, key: KeyOption = None) -> None:
    """Let a paused job go on."""
    _act(job, "resume", url, key)


@app.command("retry")
def retry(job: JobArgument, url: UrlOption = URL, key: KeyOption = None) -> None:
    """Let a failed or cancelled job go on from its last checkpoint."""
    _act(job, "retry", url, key)


@app.command("logs")
def logs(
    job: JobArgument,
    tail: Annotated[int, typer.Option(min=1, max=10_000, help="Lines, from the end.")] = 200,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it ends.")] = False,
    url: UrlOption = URL,
    key: KeyOption = None,
) -> None:
    """The log of a job's process."""
    with service(url, key) as client:
        if not follow:
            typer.echo(client.jobs.handle(job).log(lines=tail), nl=False)
            return
        try:
            _follow_log(client.jobs.handle(job))
        except KeyboardInterrupt:
            return


@app.command("artifacts")
def artifacts(
    job: JobArgument,
    path: Annotated[str | None, typer.Argument(help="The one to fetch; none: list them.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to put it.")] = None,
    url: UrlOption = URL,
    key: KeyOption = None,
) -> None:
    """List the files that a job made, or fetch one."""
    with told(OSError), service(url, key) as client:
        if path is None:
            for each in client.jobs.handle(job).artifacts():
                say(f"{each.bytes:>12}  {each.path}")
            return
        target = output or Path(Path(path).name)
        partial = target.with_name(target.name + ".partial")
        try:
            with partial.open("wb") as file:
                file.writelines(client.jobs.handle(job).artifact(path))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        remark(f"{target}: {target.stat().st_size} bytes")


def _act(job_id: str, action: "Action", url: str, key: str | None) -> None:
    with service(url, key) as client:
        say(_line(client.jobs.handle(job_id).act(action)))


def _follow_log(job: "JobHandle") -> None:
    at, is_over = 0, False
    while True:
        text, at = job.log_from(at)
        if text:
            typer.echo(text.decode(errors="replace"), nl=False)
        elif is_over:
            return
        else:
            is_over = job.get().has_ended
            time.sleep(_FOLLOW_EVERY_S)


def _line(job: "Job") -> str:
    fraction = job.progress.fraction
    done = "" if fraction is None else f"{100 * fraction:3.0f} %"
    words = (job.id, f"{job.status:10}", f"{job.kind:10}", done, job.name or job.step or "")
    return "  ".join(filter(None, words)).rstrip()
