"""`sentiscope datasets`: public layouts in, canonical data sets out."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiscope.output import fail, remark, say, told
from sentiscope.progress import ProgressBars

if TYPE_CHECKING:
    from training.data.importing import ImportReport

app = typer.Typer(no_args_is_help=True)
RootOption = Annotated[Path, typer.Option("--root", help="Folder of canonical data sets.")]
_ROOT = Path("var/datasets")
_FORMATS = (
    "class_folder, imagefolder, fi, emotionroi, twitter, artphoto, abstract, emotion6, ldl, "
    "emotic, emoset, webemo, wikiart_emotions, artemis, sentibank, places365, miniplaces, "
    "flickr8k, anp_mined or canonical."
)


@app.command("import")
def import_one(
    format: Annotated[str, typer.Argument(help=_FORMATS)],
    sources: Annotated[list[Path], typer.Argument(help="One folder, or one or more zip files.")],
    name: Annotated[str, typer.Option(help="Name of the canonical data set.")],
    title: Annotated[str | None, typer.Option(help="Name in reports; default: name.")] = None,
    terms: Annotated[str | None, typer.Option(help="Licence or terms of use.")] = None,
    labels: Annotated[str | None, typer.Option(help="Class order: names, by comma.")] = None,
    test_fold: Annotated[int, typer.Option(help="The fold that is the test split.")] = 0,
    val_fraction: Annotated[float, typer.Option(help="Part drawn for validation.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Seed of that draw.")] = 0,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave unreadable images out.")
    ] = False,
    min_images: Annotated[int, typer.Option(help="Images a mined pair needs (anp_mined).")] = 15,
    root: RootOption = _ROOT,
) -> None:
    """Import a public layout; nothing appears unless all of it is sound."""
    given = {
        "labels": None if labels is None else tuple(labels.split(",")),
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
def list_datasets(root: RootOption = _ROOT) -> None:
    """Every canonical data set with its counts."""
    try:
        from training.data.canonical import read_card
    except ModuleNotFoundError as error:
        fail(f"data sets need the 'train' extra ({error}); use `make setup`, then .venv/bin")
    from training.errors import TrainingError

    folders = sorted(root.glob("*/dataset.json")) if root.is_dir() else []
    for card_file in folders:
        with told(TrainingError):
            card = read_card(card_file.parent)
            kinds = ", ".join(f"{kind} ({len(card.label_sets[kind])})" for kind in card.label_sets)
            counts = ", ".join(f"{split} {count}" for split, count in card.counts.items())
            say(f"{card_file.parent.name}: {kinds}; {counts}")
    if not folders:
        remark(f"no data set in {root}; make one with `sentiscope datasets import`")
