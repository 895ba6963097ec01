"""`sentiscope predict`: what images make people feel, with a service or without."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from sentiscope.commands.remote import ChosenUrlOption, KeyOption
from sentiscope.output import INTERRUPTED, fail, is_terminal, remark, told

if TYPE_CHECKING:
    from sentiscope.results.writer import Writer
    from sentiscope.service.prediction import Answer

_OUTPUTS = "What to tell, by comma: single, multi, distribution; default: all that the model has."
_STDOUT = Path("-")
_TABULAR = frozenset({"csv", "parquet"})


def predict(
    images: Annotated[
        list[str], typer.Argument(help="Image files, folders of them, and https:// addresses.")
    ],
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
        Path,
        typer.Option(
            "--root",
            envvar="SENTISCOPE_MODELS_ROOT",
            help="Root of the writable registry, without a service.",
        ),
    ] = Path("var/models"),
    url: ChosenUrlOption = None,
    key: KeyOption = None,
) -> None:
    """Tell what images make people feel; folders are walked.

    A bad image is a row with its error, and the status is 1 in the end. Ctrl-C leaves what was
    written whole.
    """
    forms = {"json": as_json, "jsonl": as_lines, "csv": csv, "parquet": parquet}
    form, *more = [name for name, given in forms.items() if given] or ["table"]
    if more:
        fail(f"given --{form} and --{more[0]}; expected one of them")
    if top_k and form in _TABULAR:
        fail(f"--top-k cuts away what the columns of --{form} hold; leave one of them out")
    asked = {"model": model, "outputs": outputs, "top_k": top_k, "coverage": coverage}
    with _told():
        files = _named(images)
        with (
            _predicting(files, asked, root=root, url=url, key=key) as answers,
            _writing(form, csv or parquet or _STDOUT) as writer,
        ):
            _copy(answers, writer, total=len(files), shown=_is_bar_shown(form, csv))


def _named(images: list[str]) -> tuple[Path | str, ...]:
    """Files and those below folders; addresses as they are, which a service fetches."""
    from sentiscope.image_files import image_files
    from sentiscope.service.images import is_address

    return tuple(
        each
        for given in images
        for each in ((given,) if is_address(given) else image_files([Path(given)]))
    )


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
def _writing(form: str, path: Path) -> "Iterator[Writer]":
    """Where answers go; all that was written is whole afterwards."""
    from sentiscope.results.csv_file import CsvFile
    from sentiscope.results.json_text import JsonLines, JsonList
    from sentiscope.results.parquet_file import ParquetFile
    from sentiscope.results.table import Table

    if form == "parquet":
        with closing(ParquetFile(path)) as file:
            yield file
        return
    kinds: Mapping[str, Callable[[TextIO], Writer]] = {
        "table": Table,
        "json": JsonList,
        "jsonl": JsonLines,
        "csv": CsvFile,
    }
    with _opened(path) as out, closing(kinds[form](out)) as text:
        yield text


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    if path == _STDOUT:
        yield sys.stdout
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file


def _is_bar_shown(form: str, csv: Path | None) -> bool:
    """A bar would tear rows apart that are printed to the same terminal as they come."""
    prints_rows = form in ("json", "jsonl") or csv == _STDOUT
    return is_terminal() and not (prints_rows and sys.stdout.isatty())


@contextmanager
def _predicting(
    files: tuple[Path | str, ...],
    asked: dict[str, Any],
    *,
    root: Path,
    url: str | None,
    key: str | None,
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


def _copy(answers: "Iterator[Answer]", writer: "Writer", *, total: int, shown: bool) -> None:
    """Write each answer; ends with status 1 where images failed, and 130 after Ctrl-C."""
    from rich.console import Console
    from rich.progress import track

    from sentiscope.service.prediction import FailedPrediction

    done = failed = 0
    bar = Console(stderr=True)
    try:
        for answer in track(answers, "predicting", total, console=bar, disable=not shown):
            writer.write(answer)
            done += 1
            failed += isinstance(answer, FailedPrediction)
    except KeyboardInterrupt:
        remark(f"stopped after {done} of {total} images")
        raise typer.Exit(INTERRUPTED) from None
    if failed:
        remark(f"{failed} of {total} images failed")
        raise typer.Exit(1)
