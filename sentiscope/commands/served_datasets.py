"""`sentiscope datasets upload|show|delete`: data sets of a running service, over its REST API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiscope.commands.import_options import (
    FormatArgument,
    LabelsOption,
    MinImagesOption,
    NameOption,
    SeedOption,
    SkipUnreadableOption,
    TermsOption,
    TestFoldOption,
    TitleOption,
    ValFractionOption,
    names,
)
from sentiscope.commands.remote import KeyOption, UrlOption, see_through, service
from sentiscope.output import is_terminal, remark, say
from sentiscope.service_defaults import URL

if TYPE_CHECKING:
    from sentiscope.service.archives import Progress

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the data set.")]


def upload(
    format: FormatArgument,
    sources: Annotated[
        list[Path], typer.Argument(help="One folder, or one or more zip or tar files.")
    ],
    name: NameOption,
    title: TitleOption = None,
    terms: TermsOption = None,
    labels: LabelsOption = None,
    test_fold: TestFoldOption = 0,
    val_fraction: ValFractionOption = 0.1,
    seed: SeedOption = 0,
    skip_unreadable: SkipUnreadableOption = False,
    min_images: MinImagesOption = 15,
    watch: Annotated[bool, typer.Option("--watch", help="See the import through.")] = False,
    url: UrlOption = URL,
    key: KeyOption = None,
) -> None:
    """Send a data set to a service, which imports it; the id of that job is printed."""
    with service(url, key) as client, _progress() as progress:
        job_id = client.datasets.upload(
            sources,
            name=name,
            format=format,
            progress=progress,
            title=title,
            terms=terms,
            labels=names(labels),
            test_fold=test_fold,
            val_fraction=val_fraction,
            seed=seed,
            skip_unreadable=skip_unreadable,
            min_images=min_images,
        ).id
    say(job_id)
    if watch:
        see_through(job_id, url, key)


def show(name: NameArgument, url: UrlOption = URL, key: KeyOption = None) -> None:
    """What a service knows of a data set, as JSON."""
    with service(url, key) as client:
        found = client.datasets.get(name).model_dump(mode="json", exclude_unset=True)
    say(json.dumps(found, indent=2))


def delete(name: NameArgument, url: UrlOption = URL, key: KeyOption = None) -> None:
    """Delete a data set of a service; one that a job reads is kept, until that has ended."""
    with service(url, key) as client:
        client.datasets.delete(name)
    remark(f"data set {name} is deleted")


@contextmanager
def _progress() -> "Iterator[Progress | None]":
    """A bar, where a person watches."""
    if not is_terminal():
        yield None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(
        *Progress.get_default_columns()[:2], *columns, console=Console(stderr=True)
    ) as bars:
        bar = bars.add_task("sending", total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)
