"""`sentiscope datasets`: public layouts in, canonical data sets out."""

from collections.abc import Mapping
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
from sentiscope.commands.remote import ChosenUrlOption, KeyOption, service
from sentiscope.output import fail, remark, say, told
from sentiscope.progress import ProgressBars

if TYPE_CHECKING:
    from training.data.importing import ImportReport

app = typer.Typer(no_args_is_help=True)
RootOption = Annotated[
    Path,
    typer.Option(
        "--root", envvar="SENTISCOPE_DATASETS_ROOT", help="Folder of canonical data sets."
    ),
]
_ROOT = Path("var/datasets")


@app.command("import")
def import_one(
    format: FormatArgument,
    sources: Annotated[list[Path], typer.Argument(help="One folder, or one or more zip files.")],
    name: NameOption,
    title: TitleOption = None,
    terms: TermsOption = None,
    labels: LabelsOption = None,
    test_fold: TestFoldOption = 0,
    val_fraction: ValFractionOption = 0.1,
    seed: SeedOption = 0,
    skip_unreadable: SkipUnreadableOption = False,
    min_images: MinImagesOption = 15,
    root: RootOption = _ROOT,
) -> None:
    """Import a public layout; nothing appears unless all of it is sound."""
    given = {
        "labels": names(labels),
        "test_fold": test_fold,
        "val_fraction": val_fraction,
        "seed": seed,
        "skip_unreadable": skip_unreadable,
        "min_images": min_images,
        "terms": terms,
    }
    report = _import(format, sources, root / name, title=title or name, options=given)
    remark(f"{root / name}:")
    for line in report.lines():
        say(line)


def _import(
    format: str,
    sources: list[Path],
    destination: Path,
    *,
    title: str,
    options: Mapping[str, object],
) -> "ImportReport":
    try:
        from training.data.importers.listing import ImportOptions
        from training.data.importing import import_dataset

        progress = ProgressBars()
    except ModuleNotFoundError as error:
        fail(f"importing needs the 'train' extra ({error}); use `make setup`, then .venv/bin")
    from training.errors import TrainingError

    with told(TrainingError, ValueError, OSError), progress as bars:
        return import_dataset(
            format=format,
            sources=sources,
            destination=destination,
            name=title,
            options=ImportOptions.model_validate(options),
            progress=bars.show,
        )


@app.command("demo")
def make_demo(root: RootOption = _ROOT) -> None:
    """Paint the small corpus that the demo configurations train on."""
    try:
        from training.data.demo import write_demo
    except ModuleNotFoundError as error:
        fail(f"painting needs the 'train' extra ({error}); use `make setup`, then .venv/bin")
    from training.errors import TrainingError

    with told(TrainingError, OSError):
        for name in write_demo(root):
            say(f"{root / name}")


@app.command("list")
def list_datasets(
    root: Annotated[
        Path | None, typer.Option("--root", help=f"Folder of data sets; default: {_ROOT}.")
    ] = None,
    url: ChosenUrlOption = None,
    key: KeyOption = None,
) -> None:
    """Every data set with its counts, of a service or in a folder of this machine."""
    if root or url is None:
        _list_folder(root or _ROOT)
        return
    with service(url, key) as client:
        for found in client.datasets.list():
            kinds = {kind: len(labels.names) for kind, labels in found.label_sets.items()}
            remarks = [found.fault, f"job {found.importing} imports it" if found.importing else ""]
            say(_line(found.name, kinds, found.counts, *remarks))


def _list_folder(root: Path) -> None:
    try:
        from training.data.canonical import read_card
    except ModuleNotFoundError as error:
        fail(f"data sets need the 'train' extra ({error}); use `make setup`, then .venv/bin")
    from training.errors import TrainingError

    folders = sorted(root.glob("*/dataset.json")) if root.is_dir() else []
    for card_file in folders:
        with told(TrainingError):
            card = read_card(card_file.parent)
        kinds = {str(kind): len(labels) for kind, labels in card.label_sets.items()}
        counts = {str(split): count for split, count in card.counts.items()}
        say(_line(card_file.parent.name, kinds, counts))
    if not folders:
        remark(f"no data set in {root}; make one with `sentiscope datasets import`")


def _line(name: str, kinds: Mapping[str, int], counts: Mapping[str, int], *remarks: str) -> str:
    kinds_told = ", ".join(f"{kind} ({classes})" for kind, classes in kinds.items())
    counts_told = ", ".join(f"{split} {count}" for split, count in counts.items())
    return f"{name}: {'; '.join(filter(None, (kinds_told, counts_told, *remarks)))}"
