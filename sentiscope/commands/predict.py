"""`sentiscope predict`: what images make people feel, without a server."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiscope.output import remark, say, told

if TYPE_CHECKING:
    from app.schemas import Distribution, Multi, Single

_SHOWN = 3


def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    model: Annotated[str, typer.Option(help="name, name@version or name@alias.")] = "default",
    top_k: Annotated[int | None, typer.Option(min=1, help="Labels an output, at most.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    root: Annotated[Path, typer.Option("--root", help="Root of the writable registry.")] = Path(
        "var/models"
    ),
) -> None:
    """Print the three predictions for each image; a bad image is named and the others go on."""
    from app.errors import AppError
    from models.errors import ModelError
    from sentiscope.local import LocalModel

    with told(ModelError):
        loaded = LocalModel.open(model, root=root)
    failed = 0
    for image in images:
        try:
            found = loaded.predict(image.read_bytes(), top_k=top_k)
        except (AppError, OSError) as error:
            remark(f"{image}: {error}")
            failed += 1
            continue
        if as_json:
            answers = {kind: part.model_dump(mode="json") for kind, part in found.items()}
            say(json.dumps({"file": str(image), **answers}))
        else:
            say(str(image))
            for kind, part in found.items():
                say(f"  {kind:12} {_line(part)}")
    if failed:
        raise typer.Exit(1)


def _line(part: "Single | Multi | Distribution") -> str:
    shown = ", ".join(f"{score.label} {score.score:.2f}" for score in part.scores[:_SHOWN])
    labels = getattr(part, "labels", None)
    if labels is None:
        return shown
    return f"{' + '.join(labels) or 'none'}  ({shown})"
