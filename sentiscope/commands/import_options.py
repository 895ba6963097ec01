"""How a data set is to be imported, as options of the commands that do it."""

from typing import Annotated

import typer

_FORMATS = (
    "class_folder, imagefolder, fi, emotionroi, twitter, artphoto, abstract, emotion6, ldl, "
    "emotic, emoset, webemo, wikiart_emotions, artemis, sentibank, places365, miniplaces, "
    "flickr8k, anp_mined or canonical."
)
FormatArgument = Annotated[str, typer.Argument(help=_FORMATS)]
NameOption = Annotated[str, typer.Option(help="Name of the canonical data set.")]
TitleOption = Annotated[str | None, typer.Option(help="Name in reports; default: name.")]
TermsOption = Annotated[str | None, typer.Option(help="Licence or terms of use.")]
LabelsOption = Annotated[str | None, typer.Option(help="Class order: names, by comma.")]
TestFoldOption = Annotated[int, typer.Option(help="The fold that is the test split.")]
ValFractionOption = Annotated[float, typer.Option(help="Part drawn for validation.")]
SeedOption = Annotated[int, typer.Option(help="Seed of that draw.")]
SkipUnreadableOption = Annotated[
    bool, typer.Option("--skip-unreadable", help="Leave unreadable images out.")
]
MinImagesOption = Annotated[int, typer.Option(help="Images a mined pair needs (anp_mined).")]


def names(labels: str | None) -> tuple[str, ...] | None:
    """What `--labels` says."""
    return None if labels is None else tuple(name.strip() for name in labels.split(","))
