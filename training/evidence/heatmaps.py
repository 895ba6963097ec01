"""What a bundle looks at in photos that come with scikit-image."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from models.bundle import Bundle
from models.labels import LabelKind
from models.manifest import Precision
from models.preprocessing import preprocess
from models.runtime import Session

PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")
"""In scikit-image's own package, free to use; nothing is downloaded."""

_WIDTH, _DPI = 240, 80


def heatmaps(bundle: Bundle, file: Path) -> None:
    """The photos above, below them the map of their first single label."""
    session = Session.open(bundle, precision=Precision.FP32)
    with mpl.rc_context({"font.size": 8, "figure.constrained_layout.use": True}):
        figure = Figure(figsize=(2 * len(PHOTOS), 3.4), dpi=_DPI)
        axes = figure.subplots(2, len(PHOTOS))
        for column, name in enumerate(PHOTOS):
            photo = Image.fromarray(getattr(data, name)()).convert("RGB")
            photo.thumbnail((_WIDTH, _WIDTH))
            label, heat = _seen(session, photo)
            axes[0, column].imshow(photo)
            axes[1, column].imshow(photo.convert("L"), cmap="gray")
            extent = (0, photo.width, photo.height, 0)
            smooth = {"interpolation": "bicubic", "extent": extent}
            axes[1, column].imshow(heat, cmap="inferno", alpha=0.55, **smooth)
            axes[1, column].set_title(label)
            for row in (0, 1):
                axes[row, column].set_axis_off()
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, metadata={"Software": None})


def _seen(session: Session, photo: Image.Image) -> tuple[str, NDArray[np.float32]]:
    """The first single label with its probability, and its class activation map h,w."""
    head = session.manifest.output(LabelKind.SINGLE)
    if head is None:
        head = session.manifest.outputs[0]
    pixels = preprocess(photo, session.manifest.preprocessing)[None]
    found = session.run(pixels, [head.scores_name, head.map_name])
    scores = found[head.scores_name][0]
    first = int(scores.argmax())
    return f"{head.labels.names[first]} {scores[first]:.2f}", found[head.map_name][0, first]
