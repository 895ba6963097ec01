"""`sentiscope predict`: what images make people feel, with a service or without."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentiscope.output import fail, is_terminal, remark, told

if TYPE_CHECKING:
    from sentiscope.results.writer import Writer
    from sentiscope.service.prediction import Answer

STOPPED = 130
"""Exit status after Ctrl-C, as shells have it."""

_OUTPUTS = "What to tell, by comma: single, multi, distribution; default: all that the model has."
_STDOUT = Path("-")


def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files, and folders of them.")],
    model: Annotated[
        str | None, typer.Option(help="name, name@version or name@alias; default: the service's.")
    ] = None,
    outputs: Annotated[str | None, typer.Option(help=_OUTPUTS)] = None,
    top_k: Annotated[int | None, typer.Option(min=1, help="Labels an output, at most.")] = None,
    coverage: Annotated[
        float | None, typer.Option(help="Add a set of labels that holds the right one so often.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print a JSON object a line.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write CSV to this file; -: print it.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write Parquet to this file.")] = None,
    root: Annotated[
        Path, typer.Option("--root", help="Root of the writable registry, without a service.")
    ] = Path("var/models"),
    url: Annotated[
        str | None,
        typer.Option(
            "--url", envvar="SENTISCOPE_URL", help="Address of a service; none: this machine."
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", envvar="SENTISCOPE_API_KEY", help="API key, if it needs one."),
    ] = None,
) -> None:
    """Tell what images make people feel; folders are walked.

    A bad image is a row with its error, and the status is 1 in the end. Ctrl-C leaves what was
    written whole.
    """
    if sum(map(bool, (as_json, as_lines, csv, parquet))) > 1:
        fail("expected one of --json, --jsonl, --csv and --parquet")
    if top_k and (csv or parquet):
        fail("--top-k cuts away what the columns hold; leave it out, or use --json or --jsonl")
    asked = {"model": model, "outputs": outputs, "top_k": top_k, "coverage": coverage}
    with _told():
        from sentiscope.image_files import image_files

        files = image_files(images)
        writing = _writing(as_json=as_json, as_lines=as_lines, csv=csv, parquet=parquet)
        with _predicting(files, asked, root=root, url=url, key=key) as answers, writing as writer:
            _copy(answers, writer, total=len(files), silent=as_lines or csv == _STDOUT)


@contextmanager
def _told() -> Iterator[None]:
    """What a person can act on ends the command with its message alone."""
    from app.errors import AppError
    from models.errors import ModelError
    from sentiscope.image_files import NoImages
    from sentiscope.results.parquet_file import NoPyarrow
    from sentiscope.service.errors import SentiscopeError

    with told(AppError, ModelError, NoImages, NoPyarrow, OSError, SentiscopeError):
        yield


@contextmanager
def _writing(
    *, as_json: bool, as_lines: bool, csv: Path | None, parquet: Path | None
) -> "Iterator[Writer]":
    """Where answers go; all that was written is whole afterwards."""
    from sentiscope.results.csv_file import CsvFile
    from sentiscope.results.document import JsonLines, JsonList
    from sentiscope.results.parquet_file import ParquetFile
    from sentiscope.results.table import Table

    if csv is not None and csv != _STDOUT:
        with csv.open("w", encoding="utf-8", newline="") as out, closing(CsvFile(out)) as writer:
            yield writer
    elif parquet is not None:
        with closing(ParquetFile(parquet)) as file:
            yield file
    else:
        printed = JsonList if as_json else JsonLines if as_lines else CsvFile if csv else Table
        with closing(printed(sys.stdout)) as shown:
            yield shown


@contextmanager
def _predicting(
    files: tuple[Path, ...], asked: dict[str, Any], *, root: Path, url: str | None, key: str | None
) -> "Iterator[Iterator[Answer]]":
    """The answers, from a service where one is named."""
    if url:
        from sentiscope.client import Client

        with Client(url, key=key) as client:
            yield client.predict_each(files, **asked)
    else:
        from sentiscope.local import LocalModel

        given = {**asked, "model": None}
        yield LocalModel.open(asked["model"] or "default", root=root, **given).predict_each(files)


def _copy(answers: "Iterator[Answer]", writer: "Writer", *, total: int, silent: bool) -> None:
    """Write each answer; ends with status 1 where images failed, and 130 after Ctrl-C."""
    from rich.console import Console
    from rich.progress import track

    from sentiscope.service.prediction import FailedPrediction

    hidden = not is_terminal() or total == 1 or (silent and sys.stdout.isatty())
    done = failed = 0
    try:
        for answer in track(
            answers, "predicting", total, console=Console(stderr=True), disable=hidden
        ):
            writer.write(answer)
            done += 1
            failed += isinstance(answer, FailedPrediction)
    except KeyboardInterrupt:
        remark(f"stopped after {done} of {total} images")
        raise typer.Exit(STOPPED) from None
    if failed:
        remark(f"{failed} of {total} images failed")
        raise typer.Exit(1)
