"""`sentiscope caption`: what a pre-training of the step perceiving says of pictures."""

from pathlib import Path
from typing import Annotated

import typer

from sentiscope.commands.recipes import DatasetsOption
from sentiscope.image_files import NoImages, image_files
from sentiscope.output import fail, say, told


def caption(
    run: Annotated[Path, typer.Argument(help="Folder of the run.")],
    images: Annotated[
        list[Path] | None,
        typer.Argument(help="Image files, and folders of them."),
    ] = None,
    beam: Annotated[
        int, typer.Option(min=1, max=100, help="Prefixes that are followed; 1: greedy.")
    ] = 3,
    bleu: Annotated[
        str | None,
        typer.Option(help="Print BLEU on this split (val, test) of the run's own data sets."),
    ] = None,
    datasets: DatasetsOption = Path("var/datasets"),
) -> None:
    """Say in words what images show; with --bleu, how near people's captions that comes."""
    try:
        from training.captioner import Captioner
    except ModuleNotFoundError as error:
        fail(f"training needs the 'train' extra ({error}); use `make setup`, then .venv/bin")
    from training.data.canonical import Split
    from training.data.decoding import opened_image
    from training.errors import TrainingError

    if bleu is not None and bleu not in [*Split]:
        fail(f"there is no split {bleu!r}; expected one of {', '.join(Split)}")
    if not images and bleu is None:
        fail("nothing to say: name images, or a split with --bleu")
    with told(TrainingError, NoImages, OSError):
        captioner = Captioner.open(run)
        files = image_files(images or ())
        for file, words in zip(
            files, captioner.say(map(opened_image, files), beam=beam), strict=True
        ):
            say(f"{file}: {words}")
        if bleu is not None:
            for name, score in captioner.bleu(datasets, Split(bleu), beam=beam).items():
                say(f"{name} {score:.4f}")
