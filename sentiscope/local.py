"""Predictions on this machine, without a server, by the very parts the server is made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.answers import answer
from app.decoding import decode
from app.schemas import Distribution, Multi, Single
from models.preprocessing import preprocess
from models.registry import Registry
from models.runtime import Session

_MAX_PIXELS = 150_000_000


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A loaded bundle that predicts image by image."""

    session: Session

    @classmethod
    def open(cls, reference: str, *, root: Path) -> Self:
        """The model that `reference` names; raises ModelError."""
        return cls(Session.open(Registry(root).open(reference)))

    def predict(
        self, content: bytes, *, top_k: int | None
    ) -> dict[str, Single | Multi | Distribution]:
        """All outputs for one encoded image, by kind; raises app.errors.AppError."""
        spec = self.session.manifest.preprocessing
        picture = decode(content, needed=spec.size, max_pixels=_MAX_PIXELS)
        arrays = self.session.run(preprocess(picture.rgb, spec)[None])
        return {
            head.kind.value: answer(head, arrays[head.scores_name][0], top_k=top_k)
            for head in self.session.manifest.outputs
        }
